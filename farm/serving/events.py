"""What viewers are sent: the newest snapshot and the newest results, as server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from farm.serving.last_results import Card
from farm.watch.snapshot import Snapshot, encode

LOOK_SECONDS: Final = 0.5  # a snapshot comes each second
HEARTBEAT_SECONDS: Final = 10.0  # without an event: a proxy, too, sees that the stream lives
AGAIN_MS: Final = 2000  # a browser waits so long before it asks again
READY, LOST, DRAINING = "ready", "lost", "draining"


@dataclass(frozen=True, slots=True)
class Now:
    """What there is to see: how the service is, READY, LOST or DRAINING, and its last snapshot."""

    life: str
    snapshot: Snapshot | None


async def events(
    now: Callable[[], Now], newer: Callable[[int], Sequence[Card]], seen: int
) -> AsyncIterator[bytes]:
    """Yield events until the service drains; those of results begin after the number `seen`.

    What is yielded is always the newest: nothing is kept for who reads slowly.
    """
    yield f"retry: {AGAIN_MS}\n\n".encode()
    last, quiet = None, 0.0
    while True:
        current, cards = now(), newer(seen)
        if current != last:
            yield snapshot_event(current)
        if cards:
            seen = cards[-1].number
            yield results_event(cards)
        quiet = 0.0 if cards or current != last else quiet + LOOK_SECONDS
        if current.life == DRAINING:
            return
        if quiet >= HEARTBEAT_SECONDS:
            quiet = 0.0
            yield b":\n\n"
        last = current
        await asyncio.sleep(LOOK_SECONDS)


def snapshot_event(now: Now) -> bytes:
    """Return an event with what is now."""
    snapshot = b"null" if now.snapshot is None else encode(now.snapshot)
    data = b'{"life":"%b","snapshot":%b}' % (now.life.encode(), snapshot)
    return b"event: snapshot\ndata: %b\n\n" % data


def results_event(cards: Sequence[Card]) -> bytes:
    """Return an event with results; its id is what `seen` is when the viewer comes again."""
    data = ",".join(card.json for card in cards)
    return f"id: {cards[-1].number}\nevent: results\ndata: [{data}]\n\n".encode()


def seen_by(last_event_id: str | None) -> int:
    """Return the number of the last result that a viewer has seen, by its Last-Event-ID."""
    known = last_event_id is not None and last_event_id.isascii() and last_event_id.isdigit()
    return int(last_event_id[:18]) if known and last_event_id else 0
