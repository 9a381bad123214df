"""How much memory this machine has, and whether it shows how much its processes take."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from farm.system.file_access import text

PROC: Final = Path("/proc")
MB: Final = 2**20
KB: Final = 2**10


def total_mb() -> float:
    """Return the machine's memory in MB; a container's own, where its /proc shows that."""
    return _shown_mb("MemTotal") or _pages_mb("SC_PHYS_PAGES")


def available_mb() -> float:
    """Return how much the kernel can still allocate, in MB; without /proc, what is free."""
    return _shown_mb("MemAvailable") or _pages_mb("SC_AVPHYS_PAGES")


def is_shown() -> bool:
    """Return whether the memory of processes can be read."""
    return os.access(PROC / "self/statm", os.R_OK)


def _shown_mb(name: str) -> float | None:
    """Return a line of /proc/meminfo, proc(5); psutil reads it, too, but takes 12 ms to import."""
    found = re.search(rf"^{name}: +(\d+) kB$", text(PROC / "meminfo") or "", re.M)
    return None if found is None else int(found[1]) / KB


def _pages_mb(name: str) -> float:
    return os.sysconf(name) * os.sysconf("SC_PAGE_SIZE") / MB
