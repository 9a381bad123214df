"""Keeps the newest overview of a hub, read again and again in a thread of its own."""

from __future__ import annotations

import asyncio
import os
from contextlib import ExitStack, suppress
from typing import Final

from nats.errors import Error as NatsError

from farm.cluster.access import Access
from farm.cluster.hub_thread import HubThread
from farm.cluster.link import said
from farm.cluster.overview import Overview, look
from farm.errors import HubError

LOOK_SECONDS: Final = 5.0  # for a hub to answer


class HubWatcher:
    """Looks at a hub every `seconds` during its block, also after the hub was away.

    `name` is what the hub's administrator sees. `fd` gets readable with each look, and at the end.
    Entering raises HubError where the hub can't be reached or does not tell, and StartError.
    """

    def __init__(self, access: Access, name: str, seconds: float) -> None:
        self._access, self._seconds = access, seconds
        self._hub = HubThread(access, name)
        self._ended: HubError | None = None
        self._newest: Overview
        self._task: asyncio.Task[None]  # a loop alone would forget it

    def __enter__(self) -> HubWatcher:
        with ExitStack() as opening:
            self.fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
            opening.callback(os.close, self.fd)
            opening.enter_context(self._hub)
            self._hub.closed = self._end
            try:
                self._hub.call(self._look())
            except (NatsError, asyncio.TimeoutError) as error:
                why = f"the hub does not tell what it holds: {said(error)}"
                raise HubError(f"{self._access}: {why}") from error
            self._hub.do(self._begin)
            self._opened = opening.pop_all()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._opened.close()

    def newest(self) -> Overview:
        """Return what the last look has shown; raises HubError once the hub lets us in no more."""
        with suppress(BlockingIOError):
            os.eventfd_read(self.fd)
        if self._ended is not None:
            raise self._ended
        return self._newest

    def _begin(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._watch())

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._seconds)
            if self._hub.link.is_connected:
                with suppress(NatsError, asyncio.TimeoutError, HubError):  # its age tells
                    await self._look()

    async def _look(self) -> None:
        self._newest = await asyncio.wait_for(look(self._hub.link.jetstream()), LOOK_SECONDS)
        os.eventfd_write(self.fd, 1)

    def _end(self, error: HubError) -> None:
        self._ended = error
        os.eventfd_write(self.fd, 1)
