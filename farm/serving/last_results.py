"""The last results as cards with thumbnails: a few in a second, made beside the service's work."""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from farm.pictures.cards import as_card, named, shown, to_script
from farm.pictures.reread import prepare
from farm.pictures.thumbnail import small, thumbnail
from farm.results.result import Result
from farm.sources.base import Item
from workers.errors import ImageError
from workers.protocol.messages import Encoded

MOST: Final = 12
WATCHED_SECONDS: Final = 0.5  # between two while somebody looks
UNWATCHED_SECONDS: Final = 10.0  # and while nobody does: who comes then sees what was last
# Of a picture that is decoded in this process: a PNG of one colour is no large file with a hundred
# million of them, which take 300 MB.
MOST_PIXELS: Final = 25_000_000
NICE: Final = 5  # what serves goes first


@dataclass(frozen=True, slots=True)
class Card:
    """A card as JSON; its number counts all that were made."""

    number: int
    json: str


class LastResults:
    """Keeps the last MOST results that were shown; takes few of what it is offered.

    `max_pixels` are what an image may have, of those with a picture MOST_PIXELS; without
    `thumbnails`, no picture is made.
    """

    def __init__(
        self, max_pixels: int, *, thumbnails: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.watched = 0  # by so many
        self.busy = False  # with one; more would be kept in memory
        self._clock, self._taken_at = clock, float("-inf")
        self._cards: tuple[Card, ...] = ()  # replaced as a whole: two threads use it
        self._count = 0
        self._thread = ThreadPoolExecutor(1, "last-results", os.nice, (NICE,))
        self.thumbnails = thumbnails
        if thumbnails:
            prepare(min(max_pixels, MOST_PIXELS))

    def offer(self, item: Item, result: Result) -> None:
        """Show a result, if it is its turn: else it costs a look at the clock."""
        now = self._clock()
        between = WATCHED_SECONDS if self.watched else UNWATCHED_SECONDS
        if self.busy or now - self._taken_at < between:
            return
        self.busy, self._taken_at = True, now
        self._thread.submit(self._take, item, result)

    def newer(self, number: int) -> list[Card]:
        """Return the cards that came after the one with this number, 0 for all there are."""
        known = number <= self._count  # else it is of an earlier life of this service
        return [card for card in self._cards if not known or card.number > number]

    def close(self) -> None:
        """Make no more."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _take(self, item: Item, result: Result) -> None:
        try:
            # What a worker could not read is not tried in this process.
            made = self.thumbnails and result.error is None
            card = as_json(result, picture(item) if made else None)
            self._count += 1
            self._cards = (*self._cards, Card(self._count, card))[-MOST:]
        finally:
            self.busy = False


def as_json(result: Result, jpeg: bytes | None) -> str:
    """Return a result as the card that a page draws, with a thumbnail and its classes inside."""
    card: dict[str, Any] = as_card(result, None, Path())
    card["thumb"] = None if jpeg is None else base64.b64encode(jpeg).decode()
    card["classes"] = {each.class_id: shown(each.class_id, each.label) for each in named(result)}
    return to_script(card)


def picture(item: Item) -> bytes | None:
    """Return a thumbnail of an image in memory; None if there is none."""
    import cv2

    from workers.images.preprocess import pixels

    try:
        if isinstance(item, bytes):
            return thumbnail(*pixels(Encoded(item), small))
        return None if isinstance(item, (str, os.PathLike)) else thumbnail(item, item.shape[1::-1])
    except (ImageError, MemoryError, cv2.error):
        return None
