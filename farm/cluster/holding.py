"""What a board holds of a hub's jobs, and whether there is room for more."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from nats.aio.msg import Msg

MOST_BYTES: Final = 256 << 20  # of images that are held
AHEAD_SECONDS: Final = 0.25  # of work that is held besides what the workers have: for the way here
USUAL_IMAGES: Final = 16  # in a job of which nothing is known
MOST_JOBS: Final = 16  # that are asked for at once


class Holding:
    """The jobs that a board holds: `images` in all, of which `window` are as many as it wants.

    `pipeline` is how many images its workers hold when they are busy; a job is always held besides,
    so that they stay so.
    """

    def __init__(self, pipeline: int) -> None:
        self._pipeline, self.window = pipeline, pipeline + 1
        # By object: a hub that was killed may deliver a job again as if for the first time.
        self.jobs: dict[int, Msg] = {}
        self.images = self._bytes = 0
        self._seen_jobs = self._seen_images = 0
        self._changed = asyncio.Event()

    @property
    def wanted(self) -> int:
        """How many jobs there is room for."""
        if self._bytes >= MOST_BYTES:
            return 0
        usual = self._seen_images / self._seen_jobs if self._seen_jobs else USUAL_IMAGES
        room = self.window - self.images
        return min(MOST_JOBS, max(1, int(room / usual))) if room > 0 else 0

    def pace(self, rate: float) -> None:
        """Take in how many images a second the board does: a fast one holds more."""
        self.window = self._pipeline + 1 + int(rate * AHEAD_SECONDS)
        self._changed.set()

    async def room(self) -> int:
        """Wait until there is room for a job; return for how many."""
        while not (wanted := self.wanted):
            self._changed.clear()
            await self._changed.wait()
        return wanted

    async def empty(self) -> None:
        """Wait until no job is held."""
        while self.jobs:
            self._changed.clear()
            await self._changed.wait()

    @contextmanager
    def held(self, msg: Msg, images: int) -> Iterator[None]:
        """Hold a job of so many images during the block."""
        self.jobs[id(msg)] = msg
        self.images += images
        self._bytes += len(msg.data)
        self._seen_jobs += 1
        self._seen_images += images
        try:
            yield
        finally:
            del self.jobs[id(msg)]
            self.images -= images
            self._bytes -= len(msg.data)
            self._changed.set()
