"""What ends a board's work: a signal, the loss of its farm, or of its hub for good."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from concurrent.futures import Future
from typing import Any, Final, TypeVar

from farm.errors import FarmError

TICK_SECONDS: Final = 0.1  # between two looks at what a thread or a signal has told
T = TypeVar("T")


class Ends:
    """`stop` is set with the first end, `hurry` where nothing is to be finished any more.

    `signals` are those so far; `lost` is the future of Farm.drive. `error` is why it ends, None if
    that is a signal.
    """

    def __init__(self, signals: Sequence[int], lost: Future[None]) -> None:
        self._signals, self._lost = signals, lost
        self.stop, self.hurry = asyncio.Event(), asyncio.Event()
        self.error: FarmError | None = None

    async def watch(self) -> None:
        """Look for ends until it is clear that nothing is to be finished."""
        while not self.hurry.is_set():
            if self._lost.done() and isinstance(error := self._lost.exception(), FarmError):
                self.end(error)
            if self._signals:
                self.stop.set()
            if len(self._signals) > 1:
                self.hurry.set()
            await asyncio.sleep(TICK_SECONDS)

    def end(self, error: FarmError) -> None:
        """End with an error, unless it has ended already."""
        if not self.stop.is_set():
            self.error = error
        self.stop.set()
        self.hurry.set()


async def unless(event: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """Return what `work` returns; once `event` is set, cancel it and return None."""
    working, waiting = asyncio.ensure_future(work), asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait((working, waiting), return_when=asyncio.FIRST_COMPLETED)
        return await working if working.done() else None
    finally:
        working.cancel()
        waiting.cancel()
