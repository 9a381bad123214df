"""Keeps the newest overview of a hub, read again and again in a thread of its own."""

from __future__ import annotations

import asyncio
import os
import threading
from contextlib import suppress
from typing import Final

from nats.aio.client import Client
from nats.errors import Error as NatsError

from farm.cluster.link import Access, connect, said
from farm.cluster.overview import Overview, look
from farm.errors import FarmError, HubError

LOOK_SECONDS: Final = 5.0  # for a hub to answer
CLOSE_SECONDS: Final = 2.0  # for a connection to end in good order


class HubWatcher:
    """Looks at a hub every `seconds` during its block, also after the hub was away.

    `name` is what the hub's administrator sees. `fd` gets readable with each look, and at the end.
    Entering the block raises FarmError where the hub can't be reached or does not tell.
    """

    def __init__(self, access: Access, name: str, seconds: float) -> None:
        self._access, self._name, self._seconds = access, name, seconds
        self._newest: Overview | None = None
        self._failure: FarmError | None = None
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[None] | None = None
        self._first = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hub", daemon=True)
        self.fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def __enter__(self) -> HubWatcher:
        self._task = self._loop.create_task(self._watch())
        self._thread.start()
        try:
            self._first.wait()
            self.newest()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._task is not None:
            with suppress(RuntimeError):  # the loop has ended by itself
                self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join()
        os.close(self.fd)

    def newest(self) -> Overview:
        """Return what the last look has shown; raises FarmError once the hub lets us in no more."""
        with suppress(BlockingIOError):
            os.eventfd_read(self.fd)
        if self._failure is not None:
            raise self._failure
        if self._newest is None or not self._thread.is_alive():
            raise HubError(f"{self._access}: nobody looks at the hub any more")
        return self._newest

    def _run(self) -> None:
        try:
            if self._task is not None:
                self._loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            pass
        except FarmError as error:
            self._failure = error
        finally:
            self._loop.close()
            self._tell()

    def _tell(self) -> None:
        self._first.set()
        os.eventfd_write(self.fd, 1)

    async def _watch(self) -> None:
        link = await connect(self._access, self._name, self._ended)
        try:
            while not link.is_closed:
                await self._look(link)
                await asyncio.sleep(self._seconds)
        finally:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(link.close(), CLOSE_SECONDS)

    async def _look(self, link: Client) -> None:
        """Look once; what was seen before stays while the hub is away."""
        if not link.is_connected:
            return
        try:
            self._newest = await asyncio.wait_for(look(link.jetstream()), LOOK_SECONDS)
        except (NatsError, asyncio.TimeoutError) as error:
            if self._newest is None:
                raise HubError(f"{self._access}: the hub does not tell: {said(error)}") from error
        else:
            self._tell()

    def _ended(self, error: HubError) -> None:
        self._failure = error
