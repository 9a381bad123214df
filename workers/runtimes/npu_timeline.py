"""When each simulated NPU core is taken: a file that all workers of a run map.

Per core it holds the time until which the core is taken, and for how long it has been reserved in
all. Whoever comes first is served first, as in the driver.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
from dataclasses import dataclass
from time import monotonic
from typing import Final

LINE: Final = struct.Struct("=dd")  # free from (CLOCK_MONOTONIC seconds), reserved for (seconds)
WHOLE_FILE: Final = 0


@dataclass(frozen=True, slots=True)
class Busy:
    """For how many `seconds` each core had worked `at` a moment (CLOCK_MONOTONIC seconds)."""

    at: float
    seconds: tuple[float, ...]

    def load_since(self, before: Busy) -> tuple[float, ...]:
        """The share (0 to 1) of the time since `before` in which each core worked."""
        elapsed = self.at - before.at
        if elapsed <= 0:
            return (0.0,) * len(self.seconds)
        pairs = zip(before.seconds, self.seconds, strict=True)
        # Sums are rounded: without limits, a share could be a hair beyond them.
        return tuple(min(1.0, max(0.0, (end - start) / elapsed)) for start, end in pairs)


def worked(free_from: float, reserved: float, now: float) -> float:
    """How long a core has worked until `now`, of the seconds it is `reserved` for in all.

    What it was reserved for never has a gap between `now` and `free_from`, so what lies ahead is
    the whole time between the two.
    """
    return reserved - max(0.0, free_from - now)


class Timelines:
    """The NPU cores' time lines in a shared file; safe to use from many processes at once."""

    def __init__(self, path: str, cores: int) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        size = cores * LINE.size
        with _Lock(self._fd, 0, WHOLE_FILE):
            if os.fstat(self._fd).st_size < size:
                os.truncate(self._fd, size)
        self._map = mmap.mmap(self._fd, size)
        self._offsets = range(0, size, LINE.size)
        self._locks = [_Lock(self._fd, offset, LINE.size) for offset in self._offsets]

    def reserve(self, core: int, seconds: float) -> float:
        """Take `core` for `seconds` after all who asked before; gives the time when that ends."""
        offset = self._offsets[core]
        with self._locks[core]:
            free_from, reserved = LINE.unpack_from(self._map, offset)
            end = max(monotonic(), free_from) + seconds
            LINE.pack_into(self._map, offset, end, reserved + seconds)
        return float(end)

    def busy(self) -> Busy:
        """How long each core has worked since the file was made; what lies ahead does not count."""
        with _Lock(self._fd, 0, WHOLE_FILE):
            now = monotonic()  # inside, or a line could begin after it
            lines = [LINE.unpack_from(self._map, offset) for offset in self._offsets]
        return Busy(now, tuple(worked(free_from, reserved, now) for free_from, reserved in lines))

    def close(self) -> None:
        """Unmap and close the file, which stays for the others; may be called twice."""
        if not self._map.closed:
            self._map.close()
            os.close(self._fd)


class _Lock:
    """Bytes of a file that one process at a time holds; the kernel lets go of them with a process,
    so a killed worker never blocks the others."""

    def __init__(self, fd: int, start: int, length: int) -> None:
        self._fd, self._start, self._length = fd, start, length

    def __enter__(self) -> None:
        fcntl.lockf(self._fd, fcntl.LOCK_EX, self._length, self._start)

    def __exit__(self, *_: object) -> None:
        fcntl.lockf(self._fd, fcntl.LOCK_UN, self._length, self._start)


def look(path: str, cores: int) -> Busy:
    """Open the time lines in the file `path` for one look at how busy the cores were."""
    timelines = Timelines(path, cores)
    try:
        return timelines.busy()
    finally:
        timelines.close()
