"""Images too large for a message: in pieces in the hub's store, until their results are there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from hashlib import sha256
from typing import Final, TypeVar

from nats.errors import Error as NatsError
from nats.errors import MaxPayloadError
from nats.js import JetStreamContext
from nats.js.api import Header
from nats.js.errors import APIError, NotFoundError

from farm.cluster import names
from farm.cluster.link import back_off, said
from farm.cluster.messages import Stored
from farm.cluster.soundness import GONE
from farm.cluster.streams import SAME_SECONDS
from farm.system.log import LOG
from workers.errors import ImageError

PIECE: Final = 256 << 10  # bytes, the last one less; any server takes 1 MB, if not told otherwise
ROOM: Final = 1024  # bytes that the store takes for a piece, besides its own
NO_ROOM: Final = (10077, 10047, 10023)  # of the server's errors: in the stream, on disk, anywhere
T = TypeVar("T")


class BrokenOffError(Exception):
    """What is stored of an image so far is of no use: begin again later."""


class Objects:
    """The store as a sender and a board use it; both wait while the hub can't be reached."""

    def __init__(self, js: JetStreamContext) -> None:
        self._js = js
        # One at a time: two that have half of their pieces in a full store would wait for ever.
        self._storing = asyncio.Lock()
        self._has_complained = False

    async def put(self, run: str, data: bytes) -> Stored:
        """Store one of a run's images, once there is room; raises ImageError if never."""
        digest = sha256(data).digest()
        async with self._storing:
            attempts = 0
            while True:
                stored = Stored(names.new_object(run), len(data), digest)
                try:
                    await self._check_room(len(data))
                    await self._put_pieces(stored.name, data)
                    return stored
                except (BrokenOffError, APIError) as error:  # it is full: others store, too
                    self._complain(error)
                    await until_reached(partial(self.delete, stored))
                    attempts += 1
                    await asyncio.sleep(back_off(attempts))

    async def get(self, stored: Stored, most: int) -> bytes:
        """Return an image of up to `most` bytes; raises ImageError."""
        if stored.size > most:
            raise ImageError(
                "too_large",
                f"{stored.size} bytes; max_pixels allows {most}, raise it in the board's config",
            )
        data, at = bytearray(), 1
        while (left := stored.size - len(data)) > 0:
            piece, at = await self._piece(stored.name, at)
            if len(piece) != min(left, PIECE):
                break
            data += piece
        if len(data) != stored.size or sha256(data).digest() != stored.digest:
            raise ImageError("damaged", "its pieces in the hub are not the image that was sent")
        return bytes(data)

    async def delete(self, stored: Stored) -> None:
        """Make room: this image is wanted no more."""
        await self._purge(names.object_subject(stored.name))

    async def delete_run(self, run: str) -> None:
        """Make room: no image of this run is wanted any more."""
        await self._purge(names.objects_of_run(run))

    def _complain(self, error: BaseException) -> None:
        """Say once why the hub does not take an image."""
        if not self._has_complained:
            self._has_complained = True
            told = f"a large image waits for room in the hub's store: {said(error)}"
            LOG.warning(told, extra={"event": "store_waits"})

    async def _purge(self, subject: str) -> None:
        with suppress(NotFoundError):  # a hub that has lost its store
            await self._js.purge_stream(names.OBJECTS, subject=subject)

    async def _check_room(self, size: int) -> None:
        info = await until_reached(partial(self._js.stream_info, names.OBJECTS))
        most = info.config.max_bytes or -1
        needed = size + (size // PIECE + 1) * ROOM
        if 0 <= most < needed:
            raise ImageError("too_large", f"{size} bytes; all of the hub's store has {most}")
        if 0 <= most < info.state.bytes + needed:
            raise BrokenOffError("it is full of images without results, of ended runs maybe")

    async def _put_pieces(self, name: str, data: bytes) -> None:
        subject = names.object_subject(name)
        # The hub knows for so long which pieces it has, if it is asked again.
        known_until = time.monotonic() + SAME_SECONDS / 2
        for begin in range(0, len(data), PIECE):
            piece, headers = data[begin : begin + PIECE], {Header.MSG_ID.value: f"{name}-{begin}"}
            publish = partial(self._js.publish, subject, piece, headers=headers)
            await until_reached(publish)
            if time.monotonic() > known_until:
                raise BrokenOffError("it takes too long to store one")

    async def _piece(self, name: str, at: int) -> tuple[bytes, int]:
        """Return the first piece of an image from a place in the stream on, and the next place."""
        subject = names.object_subject(name)
        get = partial(self._js.get_msg, names.OBJECTS, at, subject, direct=True, next=True)
        try:
            found = await until_reached(get)
        except NotFoundError as error:
            raise ImageError(GONE, "the hub has it, or a part of it, no more") from error
        return found.data or b"", (found.seq or at) + 1


async def until_reached(ask: Callable[[], Awaitable[T]]) -> T:
    """Return what the hub answers, asked again until it does.

    Raises APIError if it has not what was asked for, or no room.
    """
    attempts = 0
    while True:
        try:
            return await ask()
        except (NatsError, asyncio.TimeoutError) as error:
            hopeless = isinstance(error, (NotFoundError, MaxPayloadError))
            if hopeless or getattr(error, "err_code", 0) in NO_ROOM:
                raise
            attempts += 1
            await asyncio.sleep(back_off(attempts))
