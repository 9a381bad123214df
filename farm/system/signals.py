"""Signals: collected for a loop that polls, or turned into SystemExit where there is no loop."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any, Final

from farm.errors import EXIT_SIGNAL_BASE

CAUGHT: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # the last: the terminal is gone
LAST_SECONDS: Final = 6.0  # a little more than it takes to kill all workers


class Signals:
    """While entered, the signals CAUGHT are collected in `received` and make `fd` readable.

    A signal that was ignored before stays ignored. If the program has not ended 6 s after the
    second signal, it is ended without cleaning up: it may hang in a write to a terminal or a disk
    that does not answer. Its workers notice that and clean up.
    """

    def __init__(self) -> None:
        self.received: list[int] = []
        self.fd = -1
        self._write_end = -1
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Signals:
        self.fd, self._write_end = os.pipe()
        os.set_blocking(self.fd, False)
        os.set_blocking(self._write_end, False)
        # Python calls handlers between bytecodes only; the wake-up fd ends a poll at once.
        signal.set_wakeup_fd(self._write_end, warn_on_full_buffer=False)
        self._before = {number: signal.signal(number, self._receive) for number in _not_ignored()}
        self._before[signal.SIGALRM] = signal.signal(signal.SIGALRM, self._exit_now)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(-1)
        os.close(self.fd)
        os.close(self._write_end)

    def seen(self) -> int:
        """Return how many signals have come; afterwards only a new one makes `fd` readable."""
        with suppress(BlockingIOError):
            os.read(self.fd, 4096)
        return len(self.received)

    def _receive(self, number: int, _frame: FrameType | None) -> None:
        self.received.append(number)
        if len(self.received) == 2:
            signal.setitimer(signal.ITIMER_REAL, LAST_SECONDS)

    def _exit_now(self, _number: int, _frame: FrameType | None) -> None:
        os._exit(EXIT_SIGNAL_BASE + self.received[0])


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
