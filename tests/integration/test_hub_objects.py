"""Images in pieces in a real hub's store: whole, missing, cut, exchanged; and no room for them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from nats.js import JetStreamContext

from farm.cluster import names, objects, streams
from farm.cluster.link import Access, connect
from farm.cluster.messages import Parcel, Stored
from farm.cluster.objects import PIECE, Objects
from farm.cluster.streams import Limits, ensure
from farm.cluster.unpacking import Unpacker
from tests.helpers.hub import Hub, hub
from tests.helpers.support import PATIENCE
from workers.errors import ImageError

RUN, OTHER = "ab" * 10, "cd" * 10
MOST = 100 << 20
DATA = os.urandom(2 * PIECE + 1000)
STORE_BYTES = 10 * PIECE
T = TypeVar("T")


@pytest.fixture(scope="module")
def a_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with hub(tmp_path_factory.mktemp("hub") / "store") as running:
        yield running


def at(hub: Hub, work: Callable[[JetStreamContext], Awaitable[T]]) -> T:
    async def connected() -> T:
        client = await connect(Access(address=hub.address), "test", lambda _: None)
        try:
            js = client.jetstream()
            await ensure(js, Limits(objects_bytes=STORE_BYTES))
            await js.purge_stream(names.OBJECTS)
            return await asyncio.wait_for(work(js), PATIENCE)
        finally:
            await client.close()

    return asyncio.run(connected())


async def kind(js: JetStreamContext, stored: Stored) -> str:
    with pytest.raises(ImageError) as raised:
        await Objects(js).get(stored, MOST)
    return raised.value.kind


async def held(js: JetStreamContext) -> int:
    return int((await js.stream_info(names.OBJECTS)).state.messages)


@pytest.mark.parametrize("size", [1, PIECE, 2 * PIECE + 1000])
def test_an_image_comes_back_whole_until_it_is_deleted(a_hub: Hub, size: int) -> None:
    async def work(js: JetStreamContext) -> None:
        stored = await Objects(js).put(RUN, DATA[:size])
        assert await Objects(js).get(stored, MOST) == DATA[:size]
        await Objects(js).delete(stored)
        assert await held(js) == 0
        assert await kind(js, stored) == "gone"

    at(a_hub, work)


def test_a_run_takes_away_all_of_its_own(a_hub: Hub) -> None:
    async def work(js: JetStreamContext) -> None:
        for _ in range(2):
            await Objects(js).put(RUN, b"own")
        other = await Objects(js).put(OTHER, b"other")
        await Objects(js).delete_run(RUN)
        assert await held(js) == 1
        assert await Objects(js).get(other, MOST) == b"other"

    at(a_hub, work)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"size": len(DATA) - 1}, "damaged"),
        ({"size": len(DATA) + 1}, "damaged"),
        ({"size": len(DATA) + PIECE}, "damaged"),
        ({"size": PIECE}, "damaged"),
        ({"size": MOST + 1}, "too_large"),
        ({"digest": bytes(32)}, "damaged"),
        ({"name": f"{RUN}.{OTHER}"}, "gone"),
    ],
)
def test_what_is_not_as_it_is_said_is_an_error(
    a_hub: Hub, change: dict[str, int | bytes | str], expected: str
) -> None:
    async def work(js: JetStreamContext) -> None:
        stored = await Objects(js).put(RUN, DATA)
        said = {"name": stored.name, "size": stored.size, "digest": stored.digest, **change}
        assert await kind(js, Stored(**said)) == expected  # type: ignore[arg-type]

    at(a_hub, work)


def test_pieces_that_are_gone_are_an_error(a_hub: Hub) -> None:
    async def work(js: JetStreamContext) -> None:
        stored = await Objects(js).put(RUN, DATA)
        last = (await js.stream_info(names.OBJECTS)).state.last_seq
        await js.delete_msg(names.OBJECTS, last)
        assert await kind(js, stored) == "gone"
        await js.delete_msg(names.OBJECTS, last - 2)
        assert await kind(js, stored) == "gone"

    at(a_hub, work)


@pytest.mark.parametrize("piece", [b"", b"x", bytes(PIECE)])
def test_a_strangers_pieces_are_no_image(a_hub: Hub, piece: bytes) -> None:
    async def work(js: JetStreamContext) -> None:
        stored = Stored(names.new_object(RUN), len(DATA), bytes(32))
        for _ in range(5):
            await js.publish(names.object_subject(stored.name), piece)
        assert await kind(js, stored) == "damaged"

    at(a_hub, work)


def test_a_board_answers_for_an_image_that_is_gone(a_hub: Hub) -> None:
    async def work(js: JetStreamContext) -> None:
        unpacker = Unpacker(None, Objects(js), MOST)
        stored = await Objects(js).put(RUN, DATA)
        async with unpacker.unpacked([Parcel(7, b"a.jpg", stored)]) as items:
            assert items == [DATA]
        await Objects(js).delete(stored)
        async with unpacker.unpacked([Parcel(7, b"a.jpg", stored)]) as items:
            assert getattr(items[0], "kind", None) == "gone"

    at(a_hub, work)


def test_a_full_store_makes_a_sender_wait_for_room(
    a_hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(js: JetStreamContext) -> None:
        sender = Objects(js)
        first = [await sender.put(RUN, DATA) for _ in range(4)]
        waiting = asyncio.ensure_future(sender.put(RUN, DATA))
        done, _ = await asyncio.wait((waiting,), timeout=0.5)
        assert not done
        assert [vars(each)["event"] for each in caplog.records] == ["store_waits"]
        await sender.delete(first[0])
        assert await Objects(js).get(await waiting, MOST) == DATA

    at(a_hub, work)


def test_what_no_store_has_room_for_is_an_error_at_once(a_hub: Hub) -> None:
    async def work(js: JetStreamContext) -> None:
        with pytest.raises(ImageError, match="store") as raised:
            await Objects(js).put(RUN, bytes(STORE_BYTES))
        assert raised.value.kind == "too_large"

    at(a_hub, work)


def test_two_senders_that_fill_the_store_together_both_come_through(
    a_hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each sees room for itself; without giving theirs back, both would wait for ever."""
    monkeypatch.setattr(objects, "ROOM", -PIECE)  # what is checked before, is no help here
    data = os.urandom(6 * PIECE)

    async def one(js: JetStreamContext, run: str) -> None:
        sender = Objects(js)
        stored = await sender.put(run, data)
        assert await sender.get(stored, MOST) == data
        await sender.delete(stored)

    async def work(js: JetStreamContext) -> None:
        await asyncio.gather(one(js, RUN), one(js, OTHER))
        assert await held(js) == 0

    at(a_hub, work)


def test_a_hub_that_is_started_again_has_it_still(tmp_path: Path) -> None:
    async def work(address: str, running: Hub) -> None:
        client = await connect(Access(address=address), "test", lambda _: None)
        try:
            js = client.jetstream()
            await streams.ensure(js)
            stored = await Objects(js).put(RUN, DATA)
            await asyncio.to_thread(running.kill)
            reading = asyncio.ensure_future(Objects(js).get(stored, MOST))
            await asyncio.to_thread(running.start)
            assert await asyncio.wait_for(reading, PATIENCE) == DATA
        finally:
            await client.close()

    with hub(tmp_path / "store") as running:
        asyncio.run(work(running.address, running))
