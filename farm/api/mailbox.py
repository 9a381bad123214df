"""Between the farm's thread and an event loop: who wakes whom, and how seldom."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from farm.results.result import Result

Waiter = asyncio.Future[Result]


class Mailbox:
    """Wraps futures for one event loop as asyncio.wrap_future does, which wakes it for each.

    Each waking costs a system call, and a change of threads. What the loop submits in one turn, its
    farm hears of at the end of that: so it travels in one batch.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, wake_farm: Callable[[], None]) -> None:
        self._loop, self._wake_farm = loop, wake_farm
        self._to_wake = False
        self._lock = threading.Lock()
        self._ended: list[tuple[Waiter, Future[Result]]] = []

    def wrap(self, future: Future[Result]) -> Waiter:
        """Return a future of the loop that ends as `future` does; cancelling it cancels that."""
        waiter: Waiter = self._loop.create_future()

        def post(ended: Future[Result]) -> None:
            with self._lock:
                first = not self._ended
                self._ended.append((waiter, ended))
            if first:
                with suppress(RuntimeError):  # the loop is closed: nobody waits
                    self._loop.call_soon_threadsafe(self._open)

        def pass_on(waiter: asyncio.Future[Any]) -> None:
            if waiter.cancelled():
                future.cancel()

        waiter.add_done_callback(pass_on)
        future.add_done_callback(post)
        return waiter

    def wake_farm_soon(self) -> None:
        """Wake the farm at the end of this turn of the loop."""
        if not self._to_wake:
            self._to_wake = True
            self._loop.call_soon(self._wake)

    def _wake(self) -> None:
        self._to_wake = False
        self._wake_farm()

    def _open(self) -> None:
        with self._lock:
            all_ended, self._ended = self._ended, []
        for waiter, ended in all_ended:
            if waiter.done():
                continue
            if ended.cancelled():
                waiter.cancel()
            elif (error := ended.exception()) is not None:
                waiter.set_exception(error)
            else:
                waiter.set_result(ended.result())
