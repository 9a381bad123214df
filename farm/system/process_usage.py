"""CPU time and memory of this process and all its descendants."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

import psutil

from farm.errors import SensorError
from farm.system.cpu_time import busy_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A process and its descendants: `inner` are those that have children, `leaves` the others."""

    root: int
    inner: tuple[int, ...]
    leaves: tuple[int, ...]

    @property
    def below(self) -> tuple[int, ...]:
        """All but the root."""
        return (*self.inner, *self.leaves)


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuUse:
    """CPU seconds used between two moments: by the root, its descendants, other programs."""

    root: float
    below: float
    others: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuTimes:
    """CPU seconds until a moment: of each process of a tree since its start, of the machine's CPUs.

    `machine` is the time in which some CPUs were not idle, whoever used them; None if unknown.
    """

    root: int
    processes: dict[int, float]
    machine: float | None

    def since(self, before: CpuTimes) -> CpuUse:
        """Return what was used since `before`; the time of processes that ended is not counted."""
        spent = {
            pid: seconds - before.processes.get(pid, 0.0) for pid, seconds in self.processes.items()
        }
        ours = sum(spent.values())
        others = None
        if before.machine is not None and self.machine is not None:
            # The kernel counts the machine's time in ticks: the difference can be below zero.
            others = max(0.0, self.machine - before.machine - ours)
        root = spent.get(self.root, 0.0)
        return CpuUse(root=root, below=ours - root, others=others)


def tree(root: int) -> Tree:
    """Return the living descendants of a process, whoever started them; zombies are left out.

    Raises SensorError if the kernel does not show processes.
    """
    try:
        children = psutil.Process(root).children(recursive=True)
    except (psutil.Error, OSError) as error:
        raise SensorError(
            "/proc can't be read here, so CPU times can't be measured: mount -t proc proc /proc"
        ) from error
    parents: dict[int, int] = {}
    for process in children:
        with suppress(psutil.NoSuchProcess):
            if process.status() != psutil.STATUS_ZOMBIE:
                parents[process.pid] = process.ppid()
    with_children = set(parents.values())
    return Tree(
        root=root,
        inner=tuple(pid for pid in parents if pid in with_children),
        leaves=tuple(pid for pid in parents if pid not in with_children),
    )


def cpu_times(cpus: Iterable[int]) -> CpuTimes:
    """Read the CPU times of this process's tree, and of the CPUs `cpus`."""
    root = os.getpid()
    read = {pid: cpu_seconds(pid) for pid in (root, *tree(root).below)}
    known = {pid: seconds for pid, seconds in read.items() if seconds is not None}
    return CpuTimes(root=root, processes=known, machine=busy_seconds(cpus))


def cpu_seconds(pid: int) -> float | None:
    """Return the CPU time of a process, user and system, all its threads; None if it is gone.

    Read from its CPU clock, clock_getcpuclockid(3), in nanoseconds: psutil reads /proc/PID/stat,
    which counts in hundredths of a second.
    """
    clock = ctypes.c_int()
    if ctypes.CDLL(None).clock_getcpuclockid(pid, ctypes.byref(clock)) != 0:
        return None
    try:
        return time.clock_gettime(clock.value)
    except OSError:
        return None


def pss_mb(pid: int) -> float | None:
    """Return the memory of a process in MB, its share of shared pages; None if unknown."""
    try:
        return float(psutil.Process(pid).memory_full_info().pss) / 2**20
    except psutil.Error:
        return None
