"""Signals: collected for a loop that polls, or turned into SystemExit where there is no loop."""

from __future__ import annotations

import errno
import math
import os
import select
import signal
import threading
import time
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any, Final

from farm.errors import EXIT_SIGNAL_BASE, StartError
from farm.system.ownership import Owned, disown_all, hollow, opening
from farm.system.process_limits import WHY

CAUGHT: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # the last: the terminal is gone
LAST_SECONDS: Final = 6.0  # a little more than it takes to kill all workers


class Signals(Owned):
    """While entered, the signals CAUGHT are collected in `received` and make `fd` readable.

    A signal that was ignored before stays ignored. They are taken by a thread, so they count where
    the main thread is stuck in the kernel, too. If the block has not ended 6 s after the second
    signal, the program is ended without cleaning up: it may hang in a write to a terminal or a disk
    that does not answer. Its workers notice that and clean up. Enter it in the main thread; raises
    StartError if no thread can be started.
    """

    def __init__(self) -> None:
        self.received: list[int] = []
        self.fd = -1
        self._numbers = self._write_end = self._wakeup_before = -1
        self._before: dict[int, Any] = {}
        self._blocked_before: set[int | signal.Signals] = set()
        self._thread = threading.Thread(target=self._collect, name="signals", daemon=True)

    def __enter__(self) -> Signals:
        with opening:
            self.fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
            self._numbers, self._write_end = os.pipe()
            self.own()
        os.set_blocking(self._write_end, False)
        try:
            self._thread.start()
        except RuntimeError as error:  # which is how Python says EAGAIN here
            self._close(self.fd, self._numbers, self._write_end)
            raise StartError(WHY[errno.EAGAIN]) from error
        # Python writes a signal's number there at once, in whichever thread it comes.
        self._wakeup_before = signal.set_wakeup_fd(self._write_end, warn_on_full_buffer=False)
        self._before = {number: signal.signal(number, _do_nothing) for number in _not_ignored()}
        # The kernel would give them to the main thread, and a second one to nobody until the first
        # is taken. Children inherit this: the fork server sets its own.
        self._blocked_before = signal.pthread_sigmask(signal.SIG_BLOCK, self._before)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self.disowned:
            self._restore()
            os.close(self._write_end)
            self._thread.join()
            self._close(self.fd, self._numbers)

    def disown(self) -> None:
        """Let a forked child end by signals as its program says, not as this does."""
        super().disown()
        self._restore()
        hollow(self.fd, self._numbers, self._write_end)

    def seen(self) -> int:
        """Return how many signals have come; afterwards only a new one makes `fd` readable."""
        with suppress(BlockingIOError):
            os.eventfd_read(self.fd)
        return len(self.received)

    def _close(self, *fds: int) -> None:
        self.release()
        for fd in fds:
            os.close(fd)

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup_before)
        signal.pthread_sigmask(signal.SIG_SETMASK, self._blocked_before)

    def _collect(self) -> None:
        poller, ends_at = select.poll(), math.inf
        poller.register(self._numbers, select.POLLIN)
        while poller.poll(_milliseconds_until(ends_at)):
            numbers = os.read(self._numbers, select.PIPE_BUF)
            if not numbers:
                return
            # Sorted, as handlers of signals that come at once run in an order of no meaning.
            self.received += sorted(number for number in numbers if number in CAUGHT)
            os.eventfd_write(self.fd, 1)
            if len(self.received) > 1:
                ends_at = min(ends_at, time.monotonic() + LAST_SECONDS)
        # A main thread that the kernel does not let go keeps all descriptors open, though the
        # program has ended. The workers must notice that all the same.
        self.release()
        disown_all()
        os._exit(EXIT_SIGNAL_BASE + self.received[0])


class StartSignals(Signals):
    """Signals that end a farm while it starts; once it is `up`, its server alone heeds them."""

    up = False

    def seen(self) -> int:
        """See Signals.seen."""
        seen = super().seen()
        return 0 if self.up else seen


def _milliseconds_until(at: float) -> float | None:
    """Return a time limit for poll(2): None is without limit."""
    return None if at == math.inf else max(0.0, at - time.monotonic()) * 1000


def _do_nothing(_number: int, _frame: FrameType | None) -> None:
    """Stand in for the default, which would end the program."""


_exit_requests: list[int] = []


def exit_on_signals() -> None:
    """Make signals end the program by SystemExit, so that temporary files are removed."""

    def request_exit(number: int, _frame: FrameType | None) -> None:
        _exit_requests.append(number)
        check_exit_requested()

    for caught in _not_ignored():
        signal.signal(caught, request_exit)


def check_exit_requested() -> None:
    """Raise SystemExit if a signal has come whose SystemExit was swallowed by a bare `except:`."""
    if _exit_requests:
        raise SystemExit(EXIT_SIGNAL_BASE + _exit_requests[0])


def _not_ignored() -> list[signal.Signals]:
    """Return those of CAUGHT that are not ignored, as `nohup` ignores SIGHUP."""
    return [number for number in CAUGHT if signal.getsignal(number) != signal.SIG_IGN]
