"""`npu-farm run` and `serve` as users start them, on a simulated NPU; what a run comes to."""

from __future__ import annotations

import re
import resource
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from tests.benchmarks.npu import Npu
from tests.helpers.programs import NPU_FARM
from tests.helpers.support import ROOT

RUNTIMES: Final = 3
RATE: Final = re.compile(r"^Rate +([\d.]+) images per second", re.M)
Process = subprocess.Popen[str]


@dataclass(frozen=True, slots=True)
class Run:
    """A run's images per second, and CPU time per image in ms, of all its processes."""

    rate: float
    cpu_ms: float


def farm_of(npu: Npu) -> tuple[str, ...]:
    """Return the words of a command line for a farm of three runtimes on this NPU."""
    values = (f"simulated.npu_cores={npu.cores}", f"simulated.service_ms={npu.service_ms}")
    words = ("rk3588", "--runtime", "simulated", "-s", str(RUNTIMES), "-c", "all")
    return (*words, *(word for value in values for word in ("--set", value)))


def start(photos: Sequence[str], repeat: int, npu: Npu, *more: str, **options: Any) -> Process:
    """Start a run over the photos, so many times, with `more` words."""
    words = (*farm_of(npu), "-q", "-r", str(repeat), *more, *photos)
    return subprocess.Popen(
        [NPU_FARM, "run", *words],
        **{"cwd": ROOT, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, **options},
        text=True,
    )


def ended(run: Process, images: int, before: float) -> Run:
    """Wait for the end of a run over so many images; `before` it, `spent` was that."""
    _, told = run.communicate()
    rate = RATE.search(told)
    assert rate is not None, told
    return Run(rate=float(rate[1]), cpu_ms=(spent() - before) * 1000 / images)


def spent() -> float:
    """CPU seconds of all children of this process that have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def spread(values: Sequence[float], form: str) -> str:
    """Return the median, and from where to where the values are."""
    return f"{median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
