"""A connection to a hub in a thread of its own, for a program without an event loop."""

from __future__ import annotations

import asyncio
import errno
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, TypeVar

from nats.aio.client import Client

from farm.cluster.access import Access
from farm.cluster.link import GONE, connect
from farm.errors import HubError, StartError
from farm.system.process_limits import WHY

END_SECONDS: Final = 2.0  # for the connection, and for what runs beside it, to end
T = TypeVar("T")


class HubThread:
    """Runs steps and coroutines for other threads, with a connection to a hub: `link`.

    `name` is what the hub's administrator sees. `closed` is told, in that thread, once the hub
    can't be had any more. Entering raises HubError if it can't be reached, and StartError.
    """

    link: Client
    closed: Callable[[HubError], None] | None = None

    def __init__(self, access: Access, name: str) -> None:
        self._access, self._name = access, name
        self._loop = asyncio.new_event_loop()
        # A daemon: a file system that does not answer must not keep the program.
        self._thread = threading.Thread(target=self._run, name="hub", daemon=True)

    def __enter__(self) -> HubThread:
        try:
            self._thread.start()
        except RuntimeError as error:  # which is how Python says EAGAIN here
            self._loop.close()
            raise StartError(WHY[errno.EAGAIN]) from error
        try:
            self.link = self.call(connect(self._access, self._name, self._tell))
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.closed = None
        with suppress(*GONE):  # what waited to be sent to a hub that is away
            self.call(asyncio.wait_for(self.link.close(), END_SECONDS))
        self._stop()

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the thread, wait for its end, return what it returns."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def do(self, step: Callable[[], object]) -> None:
        """Have the thread do a step that does not wait; nobody waits for it."""
        self._loop.call_soon_threadsafe(step)

    def _tell(self, error: HubError) -> None:
        if self.closed is not None:
            self.closed(error)

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(2 * END_SECONDS)

    def _run(self) -> None:
        self._loop.run_forever()
        if tasks := asyncio.all_tasks(self._loop):
            for task in tasks:
                task.cancel()
            self._loop.run_until_complete(asyncio.wait(tasks, timeout=END_SECONDS))
        self._loop.close()
