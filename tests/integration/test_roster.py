"""The boards at a hub, as they are put there by the test."""

from __future__ import annotations

from pathlib import Path

import pytest
from nats.js import JetStreamContext

from farm.cluster import roster
from farm.cluster.presence import encode
from farm.cluster.streams import boards_bucket
from tests.helpers.hub import hub
from tests.helpers.presences import a_board, at_hub


def test_boards_come_and_go_and_what_is_none_is_counted(tmp_path: Path) -> None:
    async def look(js: JetStreamContext) -> None:
        assert await roster.read(js) == roster.Roster()
        bucket = await boards_bucket(js)
        for at in range(300):
            board = a_board(f"rock {999 - at}", id=f"id{at}", at=1e9)
            await bucket.put(board.id, encode(board))
        await bucket.put("id7", encode(a_board("again", id="id7")))
        await bucket.delete("id8")
        await bucket.put("bad", b"\x1b[2J")
        found = await roster.read(js)
        assert [each.board.board for each in found.seen[:2]] == ["again", "rock 700"]
        assert len(found.seen) == 299
        assert all(0 <= each.age < 60 for each in found.seen)
        assert list(found.refused.values()) == [1]
        assert len(await roster.boards(js)) == 299
        assert (await js.stream_info(roster.STREAM)).state.consumer_count == 0

    with hub(tmp_path) as running:
        at_hub(running.address, look)


def test_more_boards_than_can_be_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roster, "MOST_BOARDS", 5)
    monkeypatch.setattr(roster, "AT_ONCE", 5)

    async def look(js: JetStreamContext) -> roster.Roster:
        bucket = await boards_bucket(js)
        for board in map(a_board, "abcdefgh"):
            await bucket.put(board.id, encode(board))
        return await roster.read(js)

    with hub(tmp_path) as running:
        found = at_hub(running.address, look)
    assert (len(found.seen), found.refused) == (5, {roster.TOO_MANY: 3})
