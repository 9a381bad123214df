"""How much memory this machine has, and whether it shows how much its processes take."""

from __future__ import annotations

import os
from typing import Final

import psutil

from farm.system.process_usage import PROC

MB: Final = 2**20


def total_mb() -> float:
    """Return the machine's memory in MB; a container's own, where its /proc shows that."""
    try:
        return float(psutil.virtual_memory().total) / MB
    except OSError:  # no /proc
        return _pages_mb("SC_PHYS_PAGES")


def available_mb() -> float:
    """Return how much the kernel can still allocate, in MB; without /proc, what is free."""
    try:
        return float(psutil.virtual_memory().available) / MB
    except OSError:
        return _pages_mb("SC_AVPHYS_PAGES")


def is_shown() -> bool:
    """Return whether the memory of processes can be read."""
    return os.access(PROC / "self/statm", os.R_OK)


def _pages_mb(name: str) -> float:
    return os.sysconf(name) * os.sysconf("SC_PAGE_SIZE") / MB
