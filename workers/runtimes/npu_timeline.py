"""When each simulated NPU core is busy: a file that all workers of a run map.

Per core it holds the time until which the core is reserved, and the sum of all its reservations.
First come, first served, as in the driver.
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
    """For how many `seconds` each core had worked `at` a time (CLOCK_MONOTONIC seconds)."""

    at: float
    seconds: tuple[float, ...]

    def load_since(self, before: Busy) -> tuple[float, ...]:
        """Return the share (0 to 1) of the time since `before` in which each core worked."""
        elapsed = self.at - before.at
        if elapsed <= 0:
            return (0.0,) * len(self.seconds)
        pairs = zip(before.seconds, self.seconds, strict=True)
        # Sums are rounded: without limits, a share could be slightly beyond them.
        return tuple(min(1.0, max(0.0, (end - start) / elapsed)) for start, end in pairs)


class Timelines:
    """The NPU cores' timelines in a shared file; safe to use from many processes at once."""

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
        """Reserve `core` for `seconds` after all earlier reservations; return when that ends."""
        offset = self._offsets[core]
        with self._locks[core]:
            free_from, reserved = LINE.unpack_from(self._map, offset)
            end = max(monotonic(), free_from) + seconds
            LINE.pack_into(self._map, offset, end, reserved + seconds)
        return float(end)

    def busy(self) -> Busy:
        """Return how long each core has worked since the file was made, without what lies ahead."""
        with _Lock(self._fd, 0, WHOLE_FILE):
            now = monotonic()  # inside, or a line could begin after it
            lines = [LINE.unpack_from(self._map, offset) for offset in self._offsets]
        # Between `now` and `free_from` a core has no idle time: all of that lies ahead.
        return Busy(now, tuple(reserved - max(0.0, until - now) for until, reserved in lines))

    def close(self) -> None:
        """Unmap and close the file, which stays for other processes; may be called twice."""
        if not self._map.closed:
            self._map.close()
            os.close(self._fd)


class _Lock:
    """A lock on bytes of a file. The kernel releases it when its process ends, so a killed worker
    never blocks the others."""

    def __init__(self, fd: int, start: int, length: int) -> None:
        self._fd, self._start, self._length = fd, start, length

    def __enter__(self) -> None:
        fcntl.lockf(self._fd, fcntl.LOCK_EX, self._length, self._start)

    def __exit__(self, *_: object) -> None:
        fcntl.lockf(self._fd, fcntl.LOCK_UN, self._length, self._start)


def look(path: str, cores: int) -> Busy:
    """Return how busy the cores were, by the timelines in the file `path`."""
    timelines = Timelines(path, cores)
    try:
        return timelines.busy()
    finally:
        timelines.close()
