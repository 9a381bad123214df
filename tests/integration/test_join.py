"""A board at a hub: real server, real farm; the sender is this process."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import TypeVar

import pytest
from nats.js.errors import APIError

from farm.api import Farm
from farm.cluster import names, streams
from farm.cluster.link import Access, connect
from farm.cluster.messages import Answered, Data, Parcel, Shared
from farm.cluster.roster import boards
from farm.sources.renders import write_renders
from tests.helpers.hub import Hub, hub
from tests.helpers.hub_peers import Peer, board
from tests.helpers.support import PATIENCE

T = TypeVar("T")


def with_peer(address: str, what: Callable[[Peer], Awaitable[T]]) -> T:
    """Run what a sender does, connected to the hub."""

    async def connected() -> T:
        client = await connect(Access(address=address), "test", lambda _: None)
        try:
            return await asyncio.wait_for(what(Peer(client.jetstream())), PATIENCE)
        finally:
            await client.close()

    return asyncio.run(connected())


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("renders")
    return write_renders(folder, count=12, seed=3)


def parcels(images: list[Path], first: int = 0) -> list[Parcel]:
    return [
        Parcel(first + n, bytes(each), Data(each.read_bytes())) for n, each in enumerate(images)
    ]


def test_its_answers_are_those_of_a_run(images: list[Path], tmp_path: Path) -> None:
    async def ask(peer: Peer) -> dict[int, Answered]:
        await peer.find()
        broken = Parcel(99, b"broken", Data(b"no image"))
        path = Parcel(100, b"path", Shared(b"etc/passwd"))
        for n in range(0, 12, 4):
            await peer.put([*parcels(images[n : n + 4], n), broken][: 4 + (n == 0)])
        await peer.put([path])
        found = await peer.answers(14)
        assert await waiting(peer) == 0
        return {each.result.id: each for each in found}

    with (
        hub(tmp_path / "hub") as running,
        board(running.address, "host", "-s", "1", "--board", "b1"),
    ):
        found = with_peer(running.address, ask)
    with Farm.from_config("host", {"size": 1}) as farm:
        expected = {each.id: each for each in farm.classify(images)}
    assert {each.result.board for each in found.values()} == {"b1"}
    for number, each in expected.items():
        answer = found[number]
        assert (answer.path, answer.result.top5) == (bytes(images[number]), each.top5)
    errors = {n: found[n].result.error for n in (99, 100)}
    assert {n: error and error.kind for n, error in errors.items()} == {
        99: "not_an_image",
        100: "not_allowed",
    }


async def waiting(peer: Peer) -> int:
    """Wait until no job is left, as an acknowledgement may be on its way; return how many are."""
    until = time.monotonic() + PATIENCE
    while (left := (await peer.js.stream_info(names.JOBS)).state.messages) and (
        time.monotonic() < until
    ):
        await asyncio.sleep(0.05)
    return left


def test_what_is_no_job_is_thrown_away_and_others_go_on(images: list[Path], tmp_path: Path) -> None:
    async def ask(peer: Peer) -> int:
        await peer.find()
        await peer.put_raw(b"rubbish")
        await peer.put(parcels(images))
        await peer.answers(12)
        return await waiting(peer)

    with hub(tmp_path / "hub") as running, board(running.address):
        assert with_peer(running.address, ask) == 0


def test_a_job_that_boards_were_lost_with_ends_as_an_error(
    images: list[Path], tmp_path: Path
) -> None:
    async def lose(peer: Peer) -> Peer:
        await peer.find()
        return peer

    async def five_times(peer: Peer) -> None:
        await peer.put(parcels(images[:2]))
        puller = await peer.puller()
        for _ in range(5):
            (msg,) = await puller.fetch(1, timeout=PATIENCE)
            await msg.nak()

    async def kinds(peer: Peer) -> set[tuple[str, int]]:
        return {
            (each.result.error.kind, each.result.attempts)
            for each in await peer.answers(2)
            if each.result.error is not None
        }

    with hub(tmp_path / "hub") as running:
        with board(running.address):
            first = with_peer(running.address, lose)

        def as_first(what: Callable[[Peer], Awaitable[T]]) -> Callable[[Peer], Awaitable[T]]:
            return lambda peer: what(Peer(peer.js, first.run, first.queue))

        with_peer(running.address, as_first(five_times))
        with board(running.address):
            assert with_peer(running.address, as_first(kinds)) == {("lost_boards", 5)}


def slow(running: Hub) -> AbstractContextManager[subprocess.Popen[str]]:
    """A board that takes a second for each image."""
    words = ("host", "--runtime", "simulated", "-s", "1", "--set", "simulated.service_ms=1000")
    little = ("--set", "batch=1", "--set", "window=1", "--set", "drain_seconds=0.2")
    return board(running.address, *words, *little)


def test_a_signal_gives_back_what_is_not_done(images: list[Path], tmp_path: Path) -> None:
    async def put(peer: Peer) -> Peer:
        await peer.find()
        for each in parcels(images):
            await peer.put([each])
        while await in_flight(peer) < 2:
            await asyncio.sleep(0.05)
        return peer

    with hub(tmp_path / "hub", ack_seconds=600) as running:
        with slow(running) as process:
            peer = with_peer(running.address, put)
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 128 + signal.SIGTERM

        async def look(other: Peer) -> tuple[int, int, int]:
            other.run, other.queue = peer.run, peer.queue
            seen = len(await boards(other.js))
            answered = (await other.js.stream_info(names.RESULTS)).state.messages
            puller, left = await other.puller(), 0
            while left + answered < len(images):  # now, and not after 600 s
                msgs = await puller.fetch(20, timeout=PATIENCE)
                # It held as many as it wants, so none was on its way, which can only be refused.
                assert {each.metadata.num_delivered for each in msgs} == {1}
                left += len(msgs)
            return seen, answered, left

        seen, answered, left = with_peer(running.address, look)
    assert seen == 0
    assert (answered < 3, answered + left) == (True, len(images))


async def in_flight(peer: Peer) -> int:
    """How many jobs boards have and have not answered."""
    info = await peer.js.consumer_info(names.JOBS, names.queue_consumer(peer.queue))
    return info.num_ack_pending or 0


def test_a_board_waits_for_its_hub_and_outlives_it(images: list[Path], tmp_path: Path) -> None:
    async def ask(peer: Peer) -> int:
        await peer.find()
        await peer.put(parcels(images))
        return len({each.result.id for each in await peer.answers(12)})

    with hub(tmp_path / "hub") as running:
        running.kill()
        with board(running.address) as process:
            event(process, "no_hub")
            running.start()
            assert with_peer(running.address, ask) == 12
            running.kill()
            event(process, "hub_lost")
            running.start()
            event(process, "hub_back")
            assert with_peer(running.address, ask) == 12


def event(process: subprocess.Popen[str], name: str) -> None:
    """Read the log up to an event."""
    assert process.stderr is not None
    assert any(json.loads(line).get("event") == name for line in process.stderr)


def test_a_full_store_of_results_is_told_and_waited_for(images: list[Path], tmp_path: Path) -> None:
    async def fill(peer: Peer) -> Peer:
        await peer.find()
        await streams.ensure(peer.js, streams.Limits(results_bytes=1 << 10))
        stranger = names.result_subject(names.new_token())
        with suppress(APIError):  # it is full
            while True:
                await peer.js.publish(stranger, bytes(10))
        await peer.put(parcels(images))
        return peer

    async def make_room(peer: Peer) -> int:
        await streams.ensure(peer.js, streams.Limits())
        return len(await peer.answers(12))

    with hub(tmp_path / "hub") as running, board(running.address) as process:
        first = with_peer(running.address, fill)
        event(process, "results_full")
        assert with_peer(running.address, lambda p: make_room(Peer(p.js, first.run))) == 12


def test_a_wrong_token_ends_it_at_once(tmp_path: Path) -> None:
    with hub(tmp_path / "hub") as running:
        address = running.address.replace("//", "//wrong-")
        with board(address) as process:
            _, told = process.communicate(timeout=PATIENCE)
    assert process.returncode == 3
    assert "token" in told
    assert "wrong-" not in told


def test_a_second_board_of_one_name_is_told(tmp_path: Path) -> None:
    words = ("host", "--runtime", "simulated", "-s", "1", "--board", "attic")
    with hub(tmp_path / "hub") as running, board(running.address, *words) as first:
        event(first, "joined")
        with board(running.address, *words) as second:
            event(second, "same_name")
