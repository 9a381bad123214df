"""Jobs that no sender of ours makes, at a real board: each is answered, or thrown away."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import msgspec
import pytest

from farm.cluster import names
from farm.cluster.link import Access, connect
from farm.cluster.messages import Answered, Data, Job, Parcel, Shared, Stored, encode
from farm.cluster.objects import Objects
from farm.sources.renders import write_renders
from tests.helpers.hub import Hub, hub
from tests.helpers.hub_peers import Peer, board
from tests.helpers.support import PATIENCE

T = TypeVar("T")
QUEUE_WAIT: Final = 0.02


@dataclass(frozen=True)
class Site:
    """A hub, a board that opens paths below `shared`, an image there, and one outside."""

    hub: Hub
    shared: Path
    image: Path
    secret: Path


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    base = tmp_path_factory.mktemp("site")
    shared = base / "shared"
    (image,) = write_renders(shared, count=1, seed=3)
    (secret,) = write_renders(base / "secret", count=1, seed=4)
    with hub(base / "hub") as running:
        found = Site(running, shared, image, secret)
        with board(running.address, "host", "-s", "1", "--by-path", str(shared)) as process:
            yield found
            process.terminate()
            _, told = process.communicate(timeout=PATIENCE)
        thrown = [
            line for line in told.splitlines() if json.loads(line).get("event") == "unknown_job"
        ]
        assert len(thrown) == 1  # of all those below: a stranger does not fill a log


def ask(site: Site, work: Callable[[Peer], Awaitable[T]]) -> T:
    """Run what a sender does; afterwards the board still works, and nothing is left in the hub."""

    async def connected() -> T:
        client = await connect(Access(address=site.hub.address), "test", lambda _: None)
        try:
            peer = Peer(client.jetstream())
            await peer.find()
            found = await work(peer)
            good = Peer(peer.js, queue=peer.queue)
            await good.put([Parcel(0, b"good", Data(site.image.read_bytes()))])
            (answer,) = await good.answers(1)
            assert answer.result.error is None
            while (await peer.js.stream_info(names.JOBS)).state.messages:
                await asyncio.sleep(QUEUE_WAIT)
            return found
        finally:
            await client.close()

    return asyncio.run(asyncio.wait_for(connected(), PATIENCE))


async def answers_to(peer: Peer, *parcels: Parcel) -> list[Answered]:
    await peer.put(parcels)
    return await peer.answers(len(parcels))


def kinds(answers: list[Answered]) -> list[str | None]:
    ordered = sorted(answers, key=lambda each: each.result.id)
    return [each.result.error.kind if each.result.error else None for each in ordered]


GOOD: Final = encode(Job("ab" * 10, (Parcel(1, b"a", Data(b"123")),)))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no job",
        os.urandom(1000),
        GOOD[:-1],
        GOOD,  # of another run than its subject says
        msgspec.msgpack.encode([99, *msgspec.msgpack.decode(GOOD)[1:]]),
        encode(Job("ab" * 10, (Parcel(1, b"a", Data(b"123")),))).replace(b"123", b"\xc1"),
        b"\x91" * 100_000,
        bytes(7 << 20),
    ],
    ids=[
        "empty",
        "text",
        "random",
        "cut",
        "another run",
        "another version",
        "broken",
        "deep",
        "large",
    ],
)
def test_what_is_no_job_is_thrown_away_once(site: Site, data: bytes) -> None:
    ask(site, lambda peer: peer.put_raw(data))


def test_thousands_of_images_in_a_job_are_answered(site: Site) -> None:
    parcels = [Parcel(number, None, Data(b"x")) for number in range(4096)]
    found = ask(site, lambda peer: answers_to(peer, *parcels))
    assert [each.result.id for each in found] == list(range(4096))
    assert set(kinds(found)) == {"not_an_image"}


def test_huge_names_come_back(site: Site) -> None:
    name = b"\xff\n\x1b" * 2700
    parcels = [Parcel(number, name, Data(b"x")) for number in range(900)]
    found = ask(site, lambda peer: answers_to(peer, *parcels))
    assert {each.path for each in found} == {name}


def test_images_with_one_id_are_answered_each(site: Site) -> None:
    found = ask(site, lambda peer: answers_to(peer, *[Parcel(7, None, Data(b""))] * 3))
    assert kinds(found) == ["empty"] * 3


def test_paths_stay_in_the_shared_folder(site: Site) -> None:
    shared, secret = site.shared, site.secret
    (shared / "out.jpg").symlink_to(secret)
    (shared / "up").symlink_to("..")
    (shared / "round").symlink_to("round")
    (shared / "zero").symlink_to("/dev/zero")
    os.mkfifo(shared / "fifo")
    (shared / "folder").mkdir()
    expected = {
        os.fsencode(site.image.name): None,
        bytes(secret): "outside",
        b"../secret/" + os.fsencode(secret.name): "outside",
        b"up/secret/" + os.fsencode(secret.name): "outside",
        b"out.jpg": "outside",
        b"zero": "outside",
        b"": "outside",
        b"folder/../" + os.fsencode(site.image.name): "outside",
        b"round": "unreadable",
        b"a\0b": "unreadable",
        b"n" * 5000: "unreadable",
        b"d/" * 4000 + b"d": "unreadable",
        b"fifo": "not_a_file",
        b"folder": "not_a_file",
        b"\xff\x1b[2J": "missing",
    }
    parcels = [Parcel(number, path, Shared(path)) for number, path in enumerate(expected)]
    assert kinds(ask(site, lambda peer: answers_to(peer, *parcels))) == list(expected.values())


def test_what_the_hub_has_not_is_an_error(site: Site) -> None:
    data = site.image.read_bytes()

    async def work(peer: Peer) -> list[Answered]:
        stored = await Objects(peer.js).put(peer.run, data)
        sources = [
            stored,
            Stored(names.new_object(peer.run), stored.size, stored.digest),
            Stored(stored.name, stored.size + 1, stored.digest),
            Stored(stored.name, stored.size - 1, stored.digest),
            Stored(stored.name, 1 << 40, stored.digest),
            Stored(stored.name, stored.size, bytes(32)),
        ]
        try:
            return await answers_to(
                peer, *(Parcel(n, None, each) for n, each in enumerate(sources))
            )
        finally:
            await Objects(peer.js).delete_run(peer.run)

    expected = [None, "gone", "damaged", "damaged", "too_large", "damaged"]
    assert kinds(ask(site, work)) == expected


@pytest.mark.parametrize("size", [(1, 1), (1 << 20, 1 << 20)])
def test_a_size_that_no_image_has_changes_nothing_of_classes(
    site: Site, size: tuple[int, int]
) -> None:
    parcel = Parcel(1, None, Data(site.image.read_bytes()), size)
    (found,) = ask(site, lambda peer: answers_to(peer, parcel))
    assert found.result.top5
