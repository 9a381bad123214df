"""Write bytes to a file descriptor completely, and react to signals while it blocks."""

from __future__ import annotations

import os
import select
import stat
import time
from typing import Final

from farm.errors import InterruptedWriteError
from farm.system.signals import Signals

# A writable pipe takes so many bytes without blocking (pipe(7)).
PIPE_BYTES: Final = select.PIPE_BUF


class WriteDeadline:
    """How long to wait for a reader that does not read: without limit, until a signal comes.

    After the first signal all waits together may take `seconds`; a second signal ends them.
    Without `signals` there is no limit.
    """

    def __init__(self, signals: Signals | None = None, seconds: float = 0.0) -> None:
        self._signals = signals
        self._seconds = seconds
        self._until: float | None = None

    def left(self) -> float | None:
        """Return how many seconds a wait may still take, 0 if it is over; None is no limit."""
        signals = self._signals.seen() if self._signals is not None else 0
        if not signals:
            return None
        now = time.monotonic()
        if self._until is None:
            self._until = now + self._seconds
        return max(0.0, self._until - now) if signals == 1 else 0.0

    def wait(self, fd: int) -> None:
        """Wait until `fd` takes bytes or has failed.

        Raises InterruptedWriteError when the time after a signal is over.
        """
        poller = select.poll()
        poller.register(fd, select.POLLOUT)
        if poller.poll(0):
            return
        if self._signals is not None:
            poller.register(self._signals.fd, select.POLLIN)
        while True:
            left = self.left()
            if left == 0:
                raise InterruptedWriteError(
                    "nobody reads the results: those not yet written are dropped"
                )
            timeout = None if left is None else left * 1000 + 1  # more: one poll, no busy loop
            if any(ready == fd for ready, _ in poller.poll(timeout)):
                return


def write_all(fd: int, data: bytes, deadline: WriteDeadline) -> None:
    """Write all of `data`, in several writes if needed.

    A regular file gets it in one write. A pipe gets it in pieces that do not block: a blocked
    write would continue after each signal, and no signal would be noticed. Raises OSError, and
    InterruptedWriteError as `deadline` does.
    """
    piece = len(data) if is_regular(fd) else PIPE_BYTES
    left = memoryview(data)
    while left:
        deadline.wait(fd)
        try:
            left = left[os.write(fd, left[:piece]) :]
        except BlockingIOError:
            continue  # somebody else wrote to the same pipe first


def is_regular(fd: int) -> bool:
    """Return whether `fd` is a regular file: no pipe, device or terminal."""
    return stat.S_ISREG(os.fstat(fd).st_mode)
