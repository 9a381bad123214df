"""CPU time and memory of this process and all below it, as the kernel tells them."""

from __future__ import annotations

import ctypes
import os
import re
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from farm.system.file_access import text

PROC: Final = Path("/proc")
PSS: Final = re.compile(r"^Pss:\s+(\d+) kB", re.M)
CPU_LINE: Final = re.compile(r"^cpu(\d+) (.*)", re.M)
TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")
IDLE: Final = (3, 4)  # idle and iowait, proc(5)
COUNTED: Final = 8  # user to steal; the two after that, guests, are in user and nice already


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A process and all below it: `leaves` have no children; `inner` have some, and bear them."""

    root: int
    inner: tuple[int, ...]
    leaves: tuple[int, ...]

    @property
    def below(self) -> tuple[int, ...]:
        """All but the root."""
        return (*self.inner, *self.leaves)


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuTimes:
    """CPU seconds until a moment: of each process of a tree since its start, of the machine's CPUs.

    `machine` is the time in which some CPUs were not idle, whoever used them; None if not told.
    """

    root: int
    processes: dict[int, float]
    machine: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuUse:
    """CPU seconds used between two moments: by the root, by all below it, by everybody else."""

    root: float
    below: float
    others: float | None


def tree(root: int, proc: Path = PROC) -> Tree:
    """Find a process's descendants, whoever started them; those that have ended are left out."""
    children: defaultdict[int, list[int]] = defaultdict(list)
    for pid, parent in _parents(proc):
        children[parent].append(pid)
    found = [root]
    for pid in found:  # grows as it is gone through
        found += sorted(children[pid])
    return Tree(
        root=root,
        inner=tuple(pid for pid in found[1:] if children[pid]),
        leaves=tuple(pid for pid in found[1:] if not children[pid]),
    )


def cpu_times(cpus: Iterable[int]) -> CpuTimes:
    """Read the CPU times of this process's tree, and of the CPUs `cpus`."""
    root = os.getpid()
    read = {pid: cpu_seconds(pid) for pid in (root, *tree(root).below)}
    told = {pid: seconds for pid, seconds in read.items() if seconds is not None}
    return CpuTimes(root=root, processes=told, machine=busy_seconds(cpus))


def used(before: CpuTimes, after: CpuTimes) -> CpuUse:
    """What was used between two readings; processes that ended in between are nobody's."""
    spent = {
        pid: seconds - before.processes.get(pid, 0.0) for pid, seconds in after.processes.items()
    }
    ours = sum(spent.values())
    others = None
    if before.machine is not None and after.machine is not None:
        # The kernel may count both by its ticks: a little less than nothing is nothing.
        others = max(0.0, after.machine - before.machine - ours)
    root = spent.get(after.root, 0.0)
    return CpuUse(root=root, below=ours - root, others=others)


def cpu_seconds(pid: int) -> float | None:
    """The CPU time of a process, user and system, all its threads; None if it is gone.

    From its CPU clock, clock_getcpuclockid(3): /proc/PID/stat counts in hundredths of a second.
    """
    clock = ctypes.c_int()
    if ctypes.CDLL(None).clock_getcpuclockid(pid, ctypes.byref(clock)) != 0:
        return None
    try:
        return time.clock_gettime(clock.value)
    except OSError:
        return None


def pss_mb(pid: int, proc: Path = PROC) -> float | None:
    """The memory of a process in MB, a share of what it shares; None if that is not told."""
    found = PSS.search(text(proc / str(pid) / "smaps_rollup") or "")
    return int(found[1]) / 1024 if found else None


def busy_seconds(cpus: Iterable[int], proc: Path = PROC) -> float | None:
    """How long these CPUs have not been idle since the machine started, added up.

    None if the kernel does not tell of one of them.
    """
    ticks = {}
    for cpu, line in CPU_LINE.findall(text(proc / "stat") or ""):
        counts = [int(count) for count in line.split()[:COUNTED]]
        ticks[int(cpu)] = sum(count for at, count in enumerate(counts) if at not in IDLE)
    wanted = set(cpus)
    if not wanted <= ticks.keys():
        return None
    return sum(ticks[cpu] for cpu in wanted) / TICKS_PER_SECOND


def _parents(proc: Path) -> list[tuple[int, int]]:
    """Every process and its parent, but those that have ended and wait to be collected."""
    found = []
    for pid in filter(str.isdigit, os.listdir(proc)):
        # The name, in brackets, may hold brackets and blanks itself.
        fields = (text(proc / pid / "stat") or "").rpartition(")")[2].split()
        if fields and fields[0] != "Z":
            found.append((int(pid), int(fields[1])))
    return found
