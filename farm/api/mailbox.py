"""Futures of the farm's thread for an event loop, which is woken once for all that end together."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from farm.results.result import Result

Waiter = asyncio.Future[Result]


class Mailbox:
    """Wraps futures for one event loop as asyncio.wrap_future does, which wakes it for each.

    Each waking costs a system call, and a change of threads: a fifth of what an image costs here.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
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
