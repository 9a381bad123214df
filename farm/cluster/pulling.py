"""Asks a consumer of the hub for jobs, and takes each in as it comes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from farm.errors import HubError

ASK_SECONDS: Final = 2.0  # for how long the hub looks for a job; then it is asked again
GRACE_SECONDS: Final = 0.5  # for its answer; one that has come back knows nothing of what was asked
LEAVE_SECONDS: Final = 2.0  # for what is on its way when a board leaves
STATUS: Final = "Status"  # the header of a message that is no job
GONE: Final = frozenset({"503", "409"})  # no such stream or consumer, or not any more


class Pulling:
    """Pulls from a consumer; `take` gets each job. After `leave`, each is given back at once.

    The client's own way to pull keeps what comes late for a next call; if there is none, it waits
    for the time-out.
    """

    def __init__(self, client: Client, stream: str, consumer: str, take: Callable[[Msg], None]):
        self._client, self._take = client, take
        self._subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"
        self._inbox = client.new_inbox()
        self._subscription: Subscription | None = None
        self._left = 0
        self._over = asyncio.Event()
        self._gone = ""
        self.leaving = False

    async def ask(self, count: int) -> None:
        """Wait until `count` jobs have come, or no more have for 2 s.

        Raises HubError if there is nobody to ask: the hub has lost its store.
        """
        if self._subscription is None:
            self._subscription = await self._client.subscribe(self._inbox, cb=self._came)
        self._left, self._gone = count, ""
        self._over.clear()
        asked = {"batch": count, "expires": int(ASK_SECONDS * 1e9)}
        await self._client.publish(self._subject, json.dumps(asked).encode(), self._inbox)
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._over.wait(), ASK_SECONDS + GRACE_SECONDS)
        if self._gone:
            raise HubError(f"the hub has no queue any more: {self._gone}")

    async def leave(self) -> None:
        """Pull nothing more; what is on its way is given back."""
        self.leaving = True
        if self._subscription is not None:
            with suppress(NatsError, asyncio.TimeoutError):
                drained: Coroutine[Any, Any, None] = self._subscription.drain()  # type: ignore[no-untyped-call]
                await asyncio.wait_for(drained, LEAVE_SECONDS)

    async def _came(self, msg: Msg) -> None:
        status = (msg.headers or {}).get(STATUS)
        if status is not None:
            self._gone = status if status in GONE else ""
            self._over.set()
        elif self.leaving:
            with suppress(NatsError):
                await msg.nak()
        else:
            self._take(msg)
            self._left -= 1
            if self._left <= 0:
                self._over.set()
