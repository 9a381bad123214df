"""For how long the machine's CPUs were busy, whoever used them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from farm.system.file_access import text

PROC: Final = Path("/proc")
CPU_LINE: Final = re.compile(r"^cpu(\d+) (.*)", re.M)
TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")
IDLE: Final = (3, 4)  # idle and iowait, proc(5)
COUNTED: Final = 8  # user to steal; the two after that, guests, are in user and nice already


def busy_by_cpu(proc: Path = PROC) -> dict[int, float]:
    """Return for how long each CPU was not idle since the machine started, in seconds.

    Of those that the kernel shows. psutil's list has no CPU numbers, and leaves out CPUs that are
    offline.
    """
    seconds = {}
    for cpu, line in CPU_LINE.findall(text(proc / "stat") or ""):
        counts = [int(count) for count in line.split()[:COUNTED]]
        ticks = sum(count for at, count in enumerate(counts) if at not in IDLE)
        seconds[int(cpu)] = ticks / TICKS_PER_SECOND
    return seconds


def busy_seconds(cpus: Iterable[int], proc: Path = PROC) -> float | None:
    """Return for how long these CPUs were not idle since the machine started, added up.

    None if the kernel does not show one of them.
    """
    by_cpu, wanted = busy_by_cpu(proc), set(cpus)
    return sum(by_cpu[cpu] for cpu in wanted) if wanted <= by_cpu.keys() else None
