"""Bytes out to a file descriptor, whole, and without being deaf to signals meanwhile."""

from __future__ import annotations

import os
import select
import stat
import time
from typing import Final

from farm.errors import InterruptedWriteError
from farm.system.signals import Signals

# A pipe that says it is writable takes so many bytes without blocking (pipe(7)).
PIPE_BYTES: Final = select.PIPE_BUF


class WriteDeadline:
    """How long a reader that does not read is waited for: for ever, until a signal comes.

    After the first signal it has `seconds` in all, after a second one no more. Without
    `signals` nobody signals.
    """

    def __init__(self, signals: Signals | None = None, seconds: float = 0.0) -> None:
        self._signals = signals
        self._seconds = seconds
        self._until: float | None = None

    def wait(self, fd: int) -> None:
        """Wait until `fd` takes bytes, or has failed; raises InterruptedWriteError."""
        poller = select.poll()
        poller.register(fd, select.POLLOUT)
        if poller.poll(0):
            return
        if self._signals is not None:
            poller.register(self._signals.fd, select.POLLIN)
        while not any(ready == fd for ready, _ in poller.poll(self._milliseconds())):
            pass

    def _milliseconds(self) -> float | None:
        """The time there is for the next poll, None for any."""
        signals = self._signals.seen() if self._signals is not None else 0
        if not signals:
            return None
        now = time.monotonic()
        if self._until is None:
            self._until = now + self._seconds
        if signals > 1 or now >= self._until:
            raise InterruptedWriteError("nobody reads the results: those under way are dropped")
        return (self._until - now) * 1000 + 1  # a little more: one poll, not a spin to the end


def write_all(fd: int, data: bytes, patience: WriteDeadline) -> None:
    """Write all of `data`, however little is taken at a time; raises OSError, or as `patience`.

    A regular file gets it in one write. What may block, as a pipe does, gets it in pieces that
    do not: a blocked write would go on after each signal, and no signal would ever be seen.
    """
    piece = len(data) if is_regular(fd) else PIPE_BYTES
    left = memoryview(data)
    while left:
        patience.wait(fd)
        try:
            left = left[os.write(fd, left[:piece]) :]
        except BlockingIOError:
            continue  # somebody else wrote to the same pipe first


def is_regular(fd: int) -> bool:
    """Whether `fd` is a regular file: no pipe, device or terminal."""
    return stat.S_ISREG(os.fstat(fd).st_mode)
