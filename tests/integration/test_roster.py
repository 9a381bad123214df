"""The boards at a hub, as they are put there by the test."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace
from nats.js import JetStreamContext

from farm.cluster import roster
from farm.cluster.link import Access, connect
from farm.cluster.presence import encode
from farm.cluster.streams import boards_bucket
from tests.helpers.hub import hub
from tests.unit.farm.cluster.test_presence import WHO

Made = TypeVar("Made")


def at(address: str, do: Callable[[JetStreamContext], Awaitable[Made]]) -> Made:
    """What comes of doing something at a hub."""

    async def done() -> Made:
        link = await connect(Access(address=address), "test", lambda _: None)
        try:
            return await do(link.jetstream())
        finally:
            await link.close()

    return asyncio.run(done())


def test_boards_come_and_go_and_what_is_none_is_counted(tmp_path: Path) -> None:
    async def look(js: JetStreamContext) -> None:
        assert await roster.read(js) == roster.Roster()
        bucket = await boards_bucket(js)
        for at in range(300):
            board = replace(WHO, id=f"id{at}", board=f"rock {999 - at}", at=1e9)
            await bucket.put(board.id, encode(board))
        await bucket.put("id7", encode(replace(WHO, id="id7", board="again")))
        await bucket.delete("id8")
        await bucket.put("bad", b"\x1b[2J")
        found = await roster.read(js)
        assert [each.board.board for each in found.seen[:2]] == ["again", "rock 700"]
        assert len(found.seen) == 299
        assert all(0 <= each.age < 60 for each in found.seen)
        assert len(found.refused) == 1
        assert len(await roster.boards(js)) == 299
        assert (await js.stream_info(roster.STREAM)).state.consumer_count == 0

    with hub(tmp_path) as running:
        at(running.address, look)
