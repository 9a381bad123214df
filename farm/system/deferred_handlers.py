"""Signal handlers that wait for the end of a step; entered and left often, so it is quick."""

from __future__ import annotations

# The functions of `signal` make enums of what they return, which takes a hundred times as long.
import _signal  # type: ignore[import-not-found]
import signal
import threading
from collections import deque
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Final

_NUMBERS: Final = sorted(signal.valid_signals())


class DeferredHandlers:
    """While entered, the program's signal handlers wait; they run on leaving and while `paused`.

    Python runs a handler between any two steps of the main thread, and it may raise, as
    KeyboardInterrupt at Ctrl-C: in the middle of sending a batch, nobody could say whether it was
    sent. Outside, the handlers are the program's own. It can be entered more than once. In other
    threads than the main one it does nothing: no handlers run there.
    """

    def __init__(self) -> None:
        self.paused = _Paused(self)
        self.depth = 0
        self._seen: list[Any] = []  # by number: what each signal did when this was last entered
        self._handlers: dict[int, Callable[[int, FrameType | None], Any]] = {}
        self._waiting: deque[int] = deque()
        self._ours = self._wait

    def __enter__(self) -> None:
        if not self.depth and threading.current_thread() is threading.main_thread():
            seen = list(map(_signal.getsignal, _NUMBERS))
            if seen != self._seen:
                self._seen = seen
                self._handlers = {
                    number: self._handlers[number] if found is self._ours else found
                    for number, found in zip(_NUMBERS, seen, strict=True)
                    if callable(found)
                }
            for number in self._handlers:
                _signal.signal(number, self._ours)
        self.depth += 1  # the last thing: until here, a handler may raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.depth = max(0, self.depth - 1)  # 0 already if a handler raised as a pause ended
        if not self.depth and threading.current_thread() is threading.main_thread():
            for number, handler in self._handlers.items():
                if _signal.getsignal(number) is self._ours:
                    _signal.signal(number, handler)
            self.deliver()

    def deliver(self) -> None:
        """Run the handlers that wait, in the order of their signals; raises what they raise.

        Those behind one that raises wait on.
        """
        while self._waiting:
            number = self._waiting.popleft()
            self._handlers[number](number, None)

    def _wait(self, number: int, frame: FrameType | None) -> None:
        if self.depth:
            self._waiting.append(number)
        else:  # paused; or a handler raised before all others were put back
            self._handlers[number](number, frame)


class _Paused:
    """While entered, handlers run at once, though this is within DeferredHandlers."""

    def __init__(self, deferred: DeferredHandlers) -> None:
        self._deferred, self._depth = deferred, 0

    def __enter__(self) -> None:
        self._depth, self._deferred.depth = self._deferred.depth, 0
        try:
            self._deferred.deliver()
        except BaseException:
            self._deferred.depth = self._depth
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._deferred.depth = self._depth
