"""Load by wrk, an HTTP benchmark in C that takes little of the CPUs that it shares."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SCRIPT: Final = Path(__file__).with_name("photos.lua")
MARK: Final = "FIGURES "


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What wrk has seen: answers with status 200 in so many seconds, and how many others.

    `refused` are answers with another status, `broken` connections and requests that failed; the
    percentiles are of all answers.
    """

    seconds: float
    answers: int
    refused: int
    broken: int
    p50_ms: float
    p99_ms: float

    @property
    def rate(self) -> float:
        """Answers with status 200 per second."""
        return self.answers / self.seconds


def found() -> str:
    """Return the program; raises SystemExit with what to install if there is none."""
    program = shutil.which("wrk")
    if program is None:
        raise SystemExit("wrk is not installed here: sudo apt install wrk")
    return program


def load(
    url: str, photos: Sequence[str], *, connections: int, seconds: int, pause_ms: int = 0
) -> Served:
    """Post photos on so many connections for so many seconds.

    Each connection waits for its answer, and then `pause_ms` on average.
    """
    words = ["-t1", f"-c{connections}", f"-d{seconds}s", "--timeout=60s", f"-s{SCRIPT}", url, "--"]
    command = [found(), *words, str(pause_ms), *photos]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    line = next((line for line in done.stdout.splitlines() if line.startswith(MARK)), None)
    assert line is not None, done.stdout + done.stderr
    us, answers, refused, broken, p50, p99 = map(int, line.removeprefix(MARK).split())
    return Served(
        seconds=us / 1e6,
        answers=answers - refused,
        refused=refused,
        broken=broken,
        p50_ms=p50 / 1000,
        p99_ms=p99 / 1000,
    )
