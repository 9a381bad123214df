"""One thread at a time, and no signal handler, in what must be done as a whole."""

from __future__ import annotations

import os
import threading
import time
from contextlib import ExitStack
from types import TracebackType
from typing import Final

from farm.errors import FarmError
from farm.system.deferred_handlers import HANDLERS, Deferred, Paused

LOOK_SECONDS: Final = 0.005  # to see whether another thread has left


class OneThread:
    """Refuses a thread while another one is inside; who is inside may enter again.

    `broken` names the exception that has ended a block where none is expected, "" if none has: what
    the block should have done as a whole is half done.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.broken = ""

    def entered(self, patience: float = 0.0) -> Whole:
        """Return a block that is done as a whole.

        It waits for another thread as many seconds as `patience`, then raises FarmError.
        """
        return Whole(self, patience)


class Whole(Deferred):
    """While entered, other threads are refused, and signal handlers wait.

    What may come out of it is a FarmError, and what the program's own code raises: its handlers,
    and whatever runs in a Paused.
    """

    __slots__ = ("_patience", "_thread")

    def __init__(self, thread: OneThread, patience: float) -> None:
        self._thread, self._patience = thread, patience

    def __enter__(self) -> None:
        super().__enter__()
        if not self._thread.lock.acquire(blocking=False):
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
        # Any other comes from anywhere: PyThreadState_SetAsyncExc, RecursionError, MemoryError.
        if error is None:
            HANDLERS.let_out.error = None  # it holds its frames
        elif not (
            isinstance(error, FarmError) or error in (HANDLERS.let_out.error, HANDLERS.raised)
        ):
            self._thread.broken = type(error).__name__
        self._thread.lock.release()
        super().__exit__(kind, error, trace)

    def _wait(self) -> None:
        until = time.monotonic() + self._patience
        while not self._thread.lock.acquire(blocking=False):
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
