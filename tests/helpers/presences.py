"""Boards as a hub has them: what they say of themselves, put there by a test."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from msgspec.structs import replace
from nats.js import JetStreamContext

from farm.cluster.link import Access, connect
from farm.cluster.offer import Offer
from farm.cluster.presence import Presence, encode
from farm.cluster.streams import boards_bucket

Made = TypeVar("Made")
OFFER: Final = Offer(
    name="glyphs",
    model="aaaabbbbccccdddd",
    task="classify",
    reading="scores",
    labels="l1",
    settings="s1",
    simulated=False,
    platform="rk3588",
    by_path=False,
)


def a_board(name: str, *, simulated: bool = False, model: str = "glyphs", **other: Any) -> Presence:
    """A board of this name, which is its id, too."""
    made = Presence(
        id=name.replace(" ", "-"),
        board=name,
        started=1_790_000_000.0,
        at=1_790_000_100.0,
        offer=replace(OFFER, simulated=simulated, name=model),
        size=6,
        rate=812.5,
        ok=12_345,
        failed=2,
        held=12,
        window=48,
        npu_load=(0.9, 0.85, 0.05),
        hottest=61.5,
        memory_mb=15_900.0,
        available_mb=12_000.0,
    )
    return replace(made, **other)


def at_hub(address: str, do: Callable[[JetStreamContext], Awaitable[Made]]) -> Made:
    """What comes of doing something at a hub."""

    async def done() -> Made:
        link = await connect(Access(address=address), "test", lambda _: None)
        try:
            return await do(link.jetstream())
        finally:
            await link.close()

    return asyncio.run(done())


def put(address: str, *boards: Presence, **raw: bytes) -> None:
    """Let these boards say what they are, and keys have these values."""

    async def said(js: JetStreamContext) -> None:
        bucket = await boards_bucket(js)
        for board in boards:
            await bucket.put(board.id, encode(board))
        for key, value in raw.items():
            await bucket.put(key, value)

    at_hub(address, said)
