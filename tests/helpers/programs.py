"""The command line as users run it, and programs that no failing test leaves behind."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final

from tests.helpers.support import PATIENCE, ROOT

PROGRAM: Final = (sys.executable, "-m", "farm.coordinator")
NPU_FARM: Final = str(Path(sys.executable).with_name("npu-farm"))
HOST: Final = str(ROOT / "configs" / "host.yaml")
# With a worker on each NPU core, unless -s says otherwise.
SIMULATED: Final = (
    *(str(ROOT / "configs" / "rk3588.yaml"), "--runtime", "simulated", "-c", "all"),
    *("-s", "3"),
)
FAST: Final = (*SIMULATED, "--set", "simulated.service_ms=0")
SLOW: Final = (*SIMULATED, "--set", "simulated.service_ms=50")


def run(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, in the project's folder."""
    streams = {} if {"stdout", "stderr"} & set(options) else {"capture_output": True}
    given = {"cwd": ROOT, "text": True, "timeout": PATIENCE, **streams, **options}
    return subprocess.run(words, check=False, **given)


def command(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run `python -m farm.coordinator` with these arguments."""
    return run(*PROGRAM, *arguments, **options)


def npu_farm(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run `npu-farm` with these arguments."""
    return run(NPU_FARM, *arguments, **options)


def missing(facts: tuple[str, ...], text: str) -> list[str]:
    """Return the facts that a text does not name: a path, a number, a flag."""
    return [fact for fact in facts if fact not in text]


def read_until(stream: IO[str] | None, start: str) -> str:
    """Read lines up to the first that begins with `start`, which must come before the end."""
    assert stream is not None
    for line in iter(stream.readline, ""):
        if line.startswith(start):
            return line
    raise AssertionError(f"the output ended without a line that begins with {start!r}")


class Programs:
    """Programs that are started, and ended with the test if they are not before."""

    def __init__(self) -> None:
        self._processes: list[subprocess.Popen[str]] = []

    def start(self, *words: str, **options: Any) -> subprocess.Popen[str]:
        """Start a program in the project's folder, its output and errors in pipes."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = subprocess.Popen(words, **{"cwd": ROOT, "text": True, **pipes, **options})
        self._processes.append(process)
        return process

    def end(self) -> None:
        """Kill those that still run, and close all pipes."""
        for process in self._processes:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                with suppress(OSError):  # what was written to it and not read
                    if stream is not None:
                        stream.close()
