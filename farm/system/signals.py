"""Signals as something to poll for: handlers only note them, the loop decides.

Where there is no loop, a signal unwinds the stack instead.
"""

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

    One that was ignored before stays so. If the program has not ended 6 s after
    the second one, it is ended where it stands: it may hang in a write to a terminal or a disk that
    does not answer. Its workers notice and clean up.
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
        # Python runs handlers between two steps of its own; the wake-up fd ends a poll at once.
        signal.set_wakeup_fd(self._write_end, warn_on_full_buffer=False)
        self._before = {number: signal.signal(number, self._note) for number in _heeded()}
        self._before[signal.SIGALRM] = signal.signal(signal.SIGALRM, self._leave)
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
        """How many signals have come; from now on, only a new one makes `fd` readable."""
        with suppress(BlockingIOError):
            os.read(self.fd, 4096)
        return len(self.received)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.received.append(number)
        if len(self.received) == 2:
            signal.setitimer(signal.ITIMER_REAL, LAST_SECONDS)

    def _leave(self, _number: int, _frame: FrameType | None) -> None:
        os._exit(EXIT_SIGNAL_BASE + self.received[0])


def _heeded() -> list[signal.Signals]:
    """Those of CAUGHT that are not ignored: `nohup` means it."""
    return [number for number in CAUGHT if signal.getsignal(number) != signal.SIG_IGN]


_left: list[int] = []


def exit_on_signals() -> None:
    """Let signals end the program by SystemExit, so that temporary files are removed."""
    for caught in _heeded():
        signal.signal(caught, _leave)


def check_exit_requested() -> None:
    """End the program if a signal has come whose SystemExit somebody's bare `except:` has eaten."""
    if _left:
        raise SystemExit(EXIT_SIGNAL_BASE + _left[0])


def _leave(number: int, _frame: FrameType | None) -> None:
    _left.append(number)
    check_exit_requested()
