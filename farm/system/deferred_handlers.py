"""Signal handlers that wait for the end of a step. Each poll is one, so this is quick.

Python runs a handler between any two steps of the main thread, and it may raise, as
KeyboardInterrupt at Ctrl-C. In the middle of sending a batch, nobody could say whether it was sent.
"""

from __future__ import annotations

# The functions of `signal` make enums of what they return, which takes a hundred times as long.
import _signal  # type: ignore[import-not-found]
import signal
import threading
from collections import deque
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Final

NUMBERS: Final = sorted(signal.valid_signals())


class LetOut(threading.local):
    """The last `error` that has left a Paused, in each thread its own."""

    error: BaseException | None = None


class Handlers:
    """The handlers of this program: whether ours are `installed` in their place, and `wait`.

    `raised` is what one of theirs has raised last, since ours were installed.
    """

    def __init__(self) -> None:
        self.installed = self.wait = False
        self.raised: BaseException | None = None
        self.let_out = LetOut()
        self._seen: list[Any] = []  # by number: what each signal did when ours were installed
        self._theirs: dict[int, Callable[[int, FrameType | None], Any]] = {}
        self._waiting: deque[int] = deque()
        self._ours = self._handle

    def install(self) -> None:
        """Put ours in the place of theirs."""
        self.raised = None
        seen = list(map(_signal.getsignal, NUMBERS))
        if seen != self._seen:
            self._seen = seen
            self._theirs = {
                number: self._theirs[number] if handler is self._ours else handler
                for number, handler in zip(NUMBERS, seen, strict=True)
                if callable(handler)
            }
        for number in self._theirs:
            _signal.signal(number, self._ours)

    def put_back(self) -> None:
        """Put theirs back, but for those that the program has changed meanwhile."""
        for number, handler in self._theirs.items():
            if _signal.getsignal(number) is self._ours:
                _signal.signal(number, handler)

    def deliver(self, frame: FrameType | None = None) -> None:
        """Run those that wait, in the order of their signals; raises what the last one raises."""
        if self._waiting:
            try:
                self._run(self._waiting.popleft(), frame)
            finally:
                self.deliver(frame)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        # Behind those that wait: one that raises amid a delivery must not leave others behind.
        if number not in self._waiting:
            self._waiting.append(number)
        if not self.wait:  # within Paused; or another one raised before this was put back
            self.deliver(frame)

    def _run(self, number: int, frame: FrameType | None) -> None:
        try:
            self._theirs[number](number, frame)
        except BaseException as error:
            self.raised = error
            raise


HANDLERS: Final = Handlers()


class Deferred:
    """While entered, the program's signal handlers wait; they run on leaving the outermost one.

    Outside, the handlers are the program's own. Does nothing in other threads than the main one,
    in which no handlers run.
    """

    __slots__ = ("_before",)
    _before: tuple[bool, bool] | None

    def __enter__(self) -> None:
        self._before = None
        if threading.current_thread() is threading.main_thread():
            before = HANDLERS.installed, HANDLERS.wait
            if not HANDLERS.installed:
                HANDLERS.install()
            # The last thing: until here one may raise, and then this is not entered.
            self._before = before
            HANDLERS.installed = HANDLERS.wait = True

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # What was before is kept, not counted: one that raises may skip the end of a Paused.
        if self._before is not None:
            HANDLERS.installed, HANDLERS.wait = self._before
            try:
                if not HANDLERS.wait:
                    HANDLERS.deliver()
            finally:
                if not HANDLERS.installed:
                    HANDLERS.put_back()


class Paused:
    """Within Deferred: while this is entered, the handlers run at once, and first those that wait.

    For what may take long: a wait, or the program's own code.
    """

    __slots__ = ("_before",)

    def __enter__(self) -> None:
        self._before = HANDLERS.wait
        if self._before and threading.current_thread() is threading.main_thread():
            HANDLERS.wait = False
            try:
                HANDLERS.deliver()
            except BaseException as error:
                HANDLERS.wait, HANDLERS.let_out.error = True, error
                raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        HANDLERS.let_out.error = error
        if self._before and threading.current_thread() is threading.main_thread():
            HANDLERS.wait = True
