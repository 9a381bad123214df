"""What happens to boards, hub and sender costs no image: none is lost, double or wrong."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pytest
from nats.js import JetStreamContext

from farm.cluster import names, streams
from farm.cluster.board import MOST_DELIVERIES
from farm.cluster.messages import Job, decode
from farm.errors import EXIT_SOME_FAILED
from tests.helpers import other_host
from tests.helpers.album import Album, make_album
from tests.helpers.cluster import Cluster, at_hub, cluster
from tests.helpers.hub import Hub, hub
from tests.helpers.support import PATIENCE, once, wait_for
from tests.helpers.tcp_proxy import TcpProxy, tcp_proxy

IMAGES: Final = 240
SOME: Final = 40  # of them: the run is on its way
SHORT: Final = 1.0  # seconds until a board that says nothing loses its jobs
LONG: Final = 600.0  # nothing of a test that ends may have waited for it
SOON: Final = 60.0  # seconds; much less than LONG


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory, renders: list[Path]) -> Album:
    """Some images, and what one farm alone answers."""

    def make(folder: Path) -> None:
        make_album(folder, renders, IMAGES)

    folder = once(tmp_path_factory, "cluster-images", make)
    return Album(folder / "images", folder / "alone.jsonl")


class Start:
    """What tests start; all of it ends with the test."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder, self._stack = folder, stack

    def hub(self, ack_seconds: float, **limits: Any) -> tuple[Hub, Cluster]:
        """A hub, and who will join it."""
        running = hub(self._folder / "store", ack_seconds=ack_seconds, **limits)
        there = self._stack.enter_context(running)
        many = self._stack.enter_context(cluster(there.address, self._folder / "cluster"))
        return there, many

    def proxied(self, there: Hub) -> tuple[str, TcpProxy]:
        """An address of a hub over a proxy."""
        proxy = self._stack.enter_context(tcp_proxy(there.port))
        return there.address.replace(f":{there.port}", f":{proxy.port}"), proxy


@pytest.fixture
def started(tmp_path: Path, run_dirs: Path) -> Iterator[Start]:
    """Starts a hub and a cluster; of their farms, killed ones too, nothing is left behind."""
    with ExitStack() as stack:
        yield Start(tmp_path, stack)
    assert wait_for(lambda: not list(run_dirs.iterdir()))


def test_a_killed_boards_images_are_done_by_another(started: Start, photos: Album) -> None:
    _, many = started.hub(SHORT)
    killed, _ = many.boards("killed", "other")
    sender = many.sender(photos.folder)
    many.wait_for_results(SOME)
    killed.end(signal.SIGKILL)
    sender.succeed()
    account = photos.account(many.results())
    assert account.is_clean, account
    assert set(account.boards) == {"killed", "other"}


def test_a_board_that_froze_and_wakes_answers_too_late(started: Start, photos: Album) -> None:
    _, many = started.hub(SHORT)
    frozen, _ = many.boards("frozen", "other")
    sender = many.sender(photos.folder)
    many.wait_for_results(SOME)
    frozen.send(signal.SIGSTOP)
    time.sleep(2 * SHORT)
    frozen.send(signal.SIGCONT)
    sender.succeed()
    account = photos.account(many.results())
    assert account.is_clean, account
    assert frozen.process.poll() is None


def test_a_board_that_is_told_to_stop_gives_back_what_it_holds(
    started: Start, photos: Album
) -> None:
    _, many = started.hub(LONG)
    stopped, _ = many.boards("stopped", "other")
    sender = many.sender(photos.folder)
    many.wait_for_results(SOME)
    assert stopped.end(signal.SIGTERM) == 128 + signal.SIGTERM
    sender.succeed(within=SOON)
    account = photos.account(many.results())
    assert account.is_clean, account


@pytest.mark.parametrize("seconds", [SHORT / 2, 2.5 * SHORT], ids=["short", "long"])
def test_a_board_that_is_cut_off_costs_nothing(
    started: Start, photos: Album, seconds: float
) -> None:
    there, many = started.hub(SHORT)
    address, proxy = started.proxied(there)
    cut = many.board("cut", address=address)
    (_,) = many.boards("other")
    cut.wait_for("joined")
    sender = many.sender(photos.folder)
    many.wait_for_results(SOME)
    proxy.cut()
    time.sleep(seconds)
    proxy.heal()
    sender.succeed()
    account = photos.account(many.results())
    assert account.is_clean, account
    assert set(account.boards) == {"cut", "other"}


def test_a_broken_link_of_board_and_sender_is_opened_again(started: Start, photos: Album) -> None:
    there, many = started.hub(SHORT)
    address, proxy = started.proxied(there)
    many.boards("one", "two", address=address)
    sender = many.sender(photos.folder, address=address)
    for count in (SOME, 2 * SOME, 3 * SOME):
        many.wait_for_results(count)
        proxy.drop()
    sender.succeed()
    account = photos.account(many.results())
    assert account.is_clean, account


def test_a_sender_that_is_cut_off_misses_nothing(started: Start, photos: Album) -> None:
    there, many = started.hub(SHORT)
    address, proxy = started.proxied(there)
    many.boards("one", "two")
    sender = many.sender(photos.folder, address=address)
    many.wait_for_results(SOME)
    proxy.cut()
    time.sleep(2.5 * SHORT)
    proxy.heal()
    sender.succeed()
    account = photos.account(many.results())
    assert account.is_clean, account


def test_a_killed_server_goes_on_with_its_store(started: Start, photos: Album) -> None:
    there, many = started.hub(SHORT)
    many.boards("one", "two")
    sender = many.sender(photos.folder)
    for count in (SOME, 3 * SOME):
        many.wait_for_results(count)
        there.kill()
        there.start()
    sender.succeed()
    account = photos.account(many.results())
    assert account.is_clean, account


def test_a_killed_sender_is_resumed(started: Start, photos: Album) -> None:
    _, many = started.hub(SHORT)
    many.boards("one", "two")
    for count in (SOME, 3 * SOME):
        sender = many.sender(photos.folder, "--resume")
        many.wait_for_results(count)
        sender.end(signal.SIGKILL)
    many.sender(photos.folder, "--resume").succeed()
    account = photos.account(many.results())
    assert account.is_clean, account


def test_a_full_store_makes_the_sender_wait(started: Start, photos: Album) -> None:
    size = sum(image.stat().st_size for image in photos.folder.iterdir())
    there, many = started.hub(LONG, jobs_bytes=size // 6)
    (board,) = many.boards("one")
    board.send(signal.SIGSTOP)
    sender = many.sender(photos.folder)
    sender.wait_for("hub_waits")
    assert bytes_of_jobs(there) > size // 12
    board.send(signal.SIGCONT)
    sender.succeed()
    account = photos.account(many.results())
    assert account.is_clean, account


def test_a_board_that_joins_in_the_middle_has_work_within_a_second(
    started: Start, photos: Album
) -> None:
    _, many = started.hub(LONG)
    many.boards("first")
    sender = many.sender(photos.folder)
    many.wait_for_results(SOME)
    many.boards("late")
    begun = time.monotonic()
    assert wait_for(lambda: any(each["board"] == "late" for each in many.results()))
    assert time.monotonic() - begun < 1
    sender.succeed()
    assert photos.account(many.results()).is_clean


def test_a_job_that_boards_die_of_again_and_again_ends_as_an_error(
    started: Start, photos: Album
) -> None:
    there, many = started.hub(SHORT)
    many.boards("gone")[0].end(signal.SIGKILL)  # for the sender, it is still there
    sender = many.sender(photos.folder)
    given_up = give_up(there, deliveries=MOST_DELIVERIES)
    many.boards("one")
    sender.succeed(code=EXIT_SOME_FAILED)
    account = photos.account(many.results())
    assert (account.lost, account.double, account.wrong) == (0, 0, 0)
    assert account.errors == {"lost_boards": given_up}
    (first, *_) = [each["error"]["message"] for each in many.results() if each["error"]]
    assert f"{MOST_DELIVERIES} boards" in first


def test_models_at_one_hub_do_not_disturb_each_other(started: Start, photos: Album) -> None:
    there, many = started.hub(SHORT)
    other = many.board("other", "--name", "second", "--set", "simulated.seed=2", service_ms=5)
    (alone,) = many.boards("alone")
    other.wait_for("joined")
    sender = many.sender(photos.folder, "--model", "glyphs")
    many.wait_for_results(SOME)
    alone.end(signal.SIGKILL)
    second = Cluster(there.address, many.folder / "second")
    second.folder.mkdir()
    second.sender(photos.folder, "--model", "second").succeed()
    assert len(second.results()) == len(photos)
    assert {each["board"] for each in second.results()} == {"other"}
    assert sender.process.poll() is None
    many.boards("back", service_ms=5)
    sender.succeed()
    account = photos.account(many.results())
    assert account.is_clean, account
    assert set(account.boards) == {"alone", "back"}


def test_a_pulled_cable_costs_nothing(started: Start, photos: Album) -> None:
    """The hub is here, a board is on another host, as far as the network is concerned."""
    if why := other_host.why_not():
        pytest.skip(why)
    with other_host.other_host() as host:
        _, many = started.hub(SHORT, host=host.ours)
        far = many.board("far", prefix=host.there)
        many.boards("near")
        far.wait_for("joined")
        sender = many.sender(photos.folder)
        many.wait_for_results(SOME)
        host.unplug()
        time.sleep(2.5 * SHORT)
        host.plug()
        sender.succeed()
        account = photos.account(many.results())
        assert account.is_clean, account
        assert set(account.boards) == {"far", "near"}


def bytes_of_jobs(there: Hub) -> int:
    """How much the hub holds of what waits for boards."""

    async def look(js: JetStreamContext) -> int:
        return (await js.stream_info(names.JOBS)).state.bytes

    return at_hub(there.address, look)


def give_up(there: Hub, *, deliveries: int) -> int:
    """Take jobs until one has been taken so often, by boards that died; return its images."""

    async def take(js: JetStreamContext) -> int:
        queue = await queue_of_the_run(js)
        await streams.make_queue(js, queue)
        consumer = names.queue_consumer(queue)
        puller = await js.pull_subscribe_bind(consumer=consumer, stream=names.JOBS)
        while True:
            (msg,) = await puller.fetch(1, timeout=PATIENCE)
            await msg.nak()
            if msg.metadata.num_delivered == deliveries:
                job = decode(msg.data)
                assert isinstance(job, Job)
                return len(job.parcels)

    return at_hub(there.address, take)


async def queue_of_the_run(js: JetStreamContext) -> str:
    """The queue in which jobs wait."""
    while True:
        state = (await js.stream_info(names.JOBS, subjects_filter=">")).state
        if state.subjects:
            return next(iter(state.subjects)).split(".")[-2]
        await asyncio.sleep(0.05)
