"""A viewer is sent what is newest, and nothing is kept for it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from farm.serving import events as module
from farm.serving.events import DRAINING, LOST, READY, Now, events, seen_by
from farm.serving.last_results import MOST, Card
from farm.watch.snapshot import decode
from tests.helpers.snapshots import a_snapshot


class Server:
    """What a stream looks at, and how often it has looked."""

    def __init__(self) -> None:
        self.now = Now(READY, None)
        self.looks = 0
        self.cards: list[Card] = []

    def look(self) -> Now:
        self.looks += 1
        return self.now

    def stream(self, seen: int = 0) -> AsyncIterator[bytes]:
        return events(self.look, self.newer, seen)

    def newer(self, number: int) -> list[Card]:
        return [card for card in self.cards[-MOST:] if card.number > number]

    def add(self, number: int) -> None:
        self.cards.append(Card(number, f'{{"id":{number}}}'))


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.0)


def fields(event: bytes) -> dict[str, str]:
    """An event as a browser reads it."""
    lines = event.decode().removesuffix("\n\n").split("\n")
    return dict(line.split(": ", 1) for line in lines)


def test_a_viewer_has_the_newest_snapshot_at_once_and_is_told_when_to_come_again() -> None:
    async def seen() -> None:
        server = Server()
        server.now = Now(READY, a_snapshot())
        stream = server.stream()
        assert int(fields(await anext(stream))["retry"]) > 0
        event = fields(await anext(stream))
        assert event["event"] == "snapshot"
        said = json.loads(event["data"])
        assert said["life"] == READY
        assert decode(json.dumps(said["snapshot"]).encode()) == a_snapshot()

    asyncio.run(seen())


def test_a_slow_viewer_misses_what_is_old() -> None:
    async def seen() -> None:
        server = Server()
        stream = server.stream()
        await anext(stream)
        for ok in range(100):
            server.now = Now(READY, a_snapshot(ok=ok))
            server.add(ok)
        assert json.loads(fields(await anext(stream))["data"])["snapshot"]["farm"]["ok"] == 99
        results = json.loads(fields(await anext(stream))["data"])
        assert [each["id"] for each in results] == list(range(88, 100))

    asyncio.run(seen())


def test_the_same_is_not_sent_twice_but_a_heartbeat_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.0001)
    monkeypatch.setattr(module, "HEARTBEAT_SECONDS", 0.001)

    async def seen() -> None:
        server = Server()
        stream = server.stream()
        await anext(stream)
        await anext(stream)
        for _ in range(3):
            looks = server.looks
            assert await anext(stream) == b":\n\n"
            assert server.looks > looks + 5

    asyncio.run(seen())


def test_a_stream_ends_when_the_service_drains() -> None:
    """Else the service would wait for its viewers."""

    async def seen() -> None:
        server = Server()
        server.now = Now(LOST, None)
        stream = server.stream()
        await anext(stream)
        await anext(stream)
        server.now = Now(DRAINING, None)
        rest = [json.loads(fields(event)["data"])["life"] async for event in stream]
        assert rest == [DRAINING]

    asyncio.run(seen())


def test_who_comes_again_has_what_was_missed() -> None:
    async def again() -> None:
        server = Server()
        server.add(4)
        server.add(5)
        stream = server.stream(4)
        await anext(stream)
        await anext(stream)
        event = fields(await anext(stream))
        assert (event["event"], event["id"]) == ("results", "5")
        assert json.loads(event["data"]) == [{"id": 5}]

    asyncio.run(again())


@pytest.mark.parametrize(
    ("header", "number"),
    [(None, 0), ("", 0), ("17", 17), ("-1", 0), ("x", 0), ("\u0663", 0), ("9" * 5000, 10**18 - 1)],
)
def test_any_last_event_id_is_a_number(header: str | None, number: int) -> None:
    assert seen_by(header) == number
