"""Several threads and one farm: one at a time uses it, the others get an error at once."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from farm.api import Farm, Run
from farm.coordinator.coordinator import Coordinator
from farm.errors import FarmError
from farm.scheduler.dispatcher import Dispatcher
from farm.scheduler.events import Action, Event
from tests.helpers.support import (
    PATIENCE,
    children_of,
    fork_server_of,
    is_alive,
    simulated,
    wait_for,
)

THREADS = 3
RUNS = 15
REFUSED = "another thread is using this farm"


@pytest.fixture
def other() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as other:
        yield other


def take(run: Run) -> list[int]:
    """The ids of all results of a run that is called again where it was refused."""
    ids: list[int] = []
    while not run.ended:
        try:
            ids += [result.id for result in run.poll()]
        except FarmError as error:
            if REFUSED not in str(error):
                raise
            time.sleep(0.001)
    return ids


def test_no_thread_gets_a_part_of_its_results_without_an_error(
    renders: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each goes on where it was refused, as in turns."""
    images, handle = renders[:20], Dispatcher.handle

    def give_way(dispatcher: Dispatcher, event: Event, *, now: float) -> list[Action]:
        time.sleep(0.0002)  # another thread runs amid a step
        return handle(dispatcher, event, now=now)

    monkeypatch.setattr(Dispatcher, "handle", give_way)

    def work(farm: Farm) -> list[list[int]]:
        taken: list[list[int]] = []
        while len(taken) < RUNS:
            try:
                run = farm.classify(images)
            except FarmError as error:
                if REFUSED not in str(error):
                    raise
                continue
            taken.append(sorted(take(run)))
        return taken

    config = simulated(simulated={"service_ms": 0.1})
    with Farm(config) as farm, ThreadPoolExecutor(THREADS) as threads:
        works = [threads.submit(work, farm) for _ in range(THREADS)]
        for each in works:
            assert each.result(PATIENCE) == [list(range(len(images)))] * RUNS


def test_a_farm_goes_from_thread_to_thread(renders: list[Path], other: ThreadPoolExecutor) -> None:
    with Farm(simulated()) as farm:
        run = farm.classify(renders)
        ids = [next(run).id, other.submit(next, run).result(PATIENCE).id]
        ids += [result.id for result in run]
        assert len(other.submit(list, farm.classify(renders)).result(PATIENCE)) == len(renders)
    assert sorted(ids) == list(range(len(renders)))


class Waits:
    """An iterator that blocks from its second item on, until it is let go."""

    def __init__(self, image: Path) -> None:
        self.blocks, self.go_on = threading.Event(), threading.Event()
        self._image, self._count = image, 0

    def __iter__(self) -> Iterator[Path]:
        return self

    def __next__(self) -> Path:
        self._count += 1
        if self._count > 1:
            self.blocks.set()
            assert self.go_on.wait(PATIENCE)
        return self._image


def test_every_use_by_another_thread_is_refused_and_costs_the_first_nothing(
    renders: list[Path], other: ThreadPoolExecutor
) -> None:
    with Farm(simulated()) as farm:
        idle = farm.classify(renders)
        waits = Waits(renders[0])
        busy = farm.classify(waits, ordered=True)
        results = other.submit(lambda: [next(busy), next(busy)])
        assert waits.blocks.wait(PATIENCE)
        uses = (Run.poll, Run.__next__, Run.feed, Run.drain, Run.close)
        for use in (*uses, lambda _: farm.classify([])):
            with pytest.raises(FarmError, match=REFUSED):
                use(idle)
        assert (farm.losses, farm.strays, farm.bad_cores) == (0, 0, ())
        waits.go_on.set()
        assert [result.id for result in results.result(PATIENCE)] == [0, 1]
        assert len(list(idle)) == len(renders)


def test_leaving_the_block_ends_the_run_of_another_thread_first(
    renders: list[Path],
    run_dirs: Path,
    other: ThreadPoolExecutor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Closing the sockets that another thread polls aborts the program, with some luck."""
    poll, let_go = Coordinator.poll, Coordinator._let_go
    polls = threading.Semaphore(0)
    polling: list[int] = []
    polling_at_close: list[int] = []

    def seen_poll(coordinator: Coordinator, *of: Any, **more: Any) -> None:
        polling.append(threading.get_ident())
        polls.release()
        try:
            poll(coordinator, *of, **more)
        finally:
            polling.remove(threading.get_ident())

    def seen_let_go(coordinator: Coordinator) -> None:
        polling_at_close.extend(polling)
        let_go(coordinator)

    # So slow that the thread waits for a worker as the block is left.
    with Farm(simulated(size=1, simulated={"service_ms": 2000.0}, drain_seconds=0.1)) as farm:
        monkeypatch.setattr(Coordinator, "poll", seen_poll)
        monkeypatch.setattr(Coordinator, "_let_go", seen_let_go)
        iterating = other.submit(list, farm.classify(cycle(renders)))
        assert polls.acquire(timeout=PATIENCE)
    assert polling_at_close == []
    assert children_of(os.getpid()) == []
    assert list(run_dirs.iterdir()) == []
    with pytest.raises(FarmError, match="no longer up"):
        iterating.result(PATIENCE)


def test_a_thread_that_stays_in_its_source_closes_the_farm_when_it_comes_out(
    renders: list[Path],
    run_dirs: Path,
    other: ThreadPoolExecutor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("farm.api.farm.LEAVE_SECONDS", 0.05)
    waits = Waits(renders[0])
    farm = Farm(simulated())
    farm.__enter__()
    iterating = other.submit(list, farm.classify(waits))
    assert waits.blocks.wait(PATIENCE)
    server = fork_server_of(os.getpid())
    with pytest.raises(FarmError, match=REFUSED):
        farm.__exit__(None, None, None)
    waits.go_on.set()
    with pytest.raises(FarmError, match="no longer up"):
        iterating.result(PATIENCE)
    assert wait_for(lambda: not is_alive(server))
    assert children_of(os.getpid()) == []
    assert list(run_dirs.iterdir()) == []
