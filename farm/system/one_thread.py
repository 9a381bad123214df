"""One thread at a time, and no signal handler, in what must be done as a whole."""

from __future__ import annotations

import os
import threading
import time
from contextlib import ExitStack
from types import TracebackType
from typing import Final

from farm.errors import FarmError
from farm.system.deferred_handlers import Deferred, Paused

LOOK_SECONDS: Final = 0.005  # to see whether another thread has left


class OneThread:
    """Refuses a thread while another one is inside; who is inside may enter again."""

    def __init__(self) -> None:
        self._lock = threading.RLock()

    def entered(self, patience: float = 0.0) -> Whole:
        """Return a block that is done as a whole.

        It waits for another thread as many seconds as `patience`, then raises FarmError.
        """
        return Whole(self._lock, patience)


class Whole(Deferred):
    """While entered, other threads are refused, and signal handlers wait."""

    __slots__ = ("_lock", "_patience")

    def __init__(self, lock: threading.RLock, patience: float) -> None:
        self._lock, self._patience = lock, patience

    def __enter__(self) -> None:
        super().__enter__()
        if not self._lock.acquire(blocking=False):
            with ExitStack() as unless_it_comes_in:
                unless_it_comes_in.push(super().__exit__)
                self._wait()
                unless_it_comes_in.pop_all()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lock.release()
        super().__exit__(kind, error, trace)

    def _wait(self) -> None:
        until = time.monotonic() + self._patience
        while not self._lock.acquire(blocking=False):
            if time.monotonic() >= until:
                raise FarmError(
                    "another thread is using this farm: drive all runs in one thread, with "
                    "Run.poll(until) in turn, or open a farm for each thread"
                )
            with Paused():
                time.sleep(LOOK_SECONDS)


class Notice:
    """A descriptor that gets readable, for good, once `give` was called, in whichever thread."""

    def __init__(self) -> None:
        self.fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.given = False

    def give(self) -> None:
        """Make it readable."""
        if not self.given:
            os.eventfd_write(self.fd, 1)
            self.given = True  # the last thing: who sees it may close this

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self.fd)
