"""Items that any thread submits, each with a future, beside the runs that are pulled."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from pathlib import Path

import cv2
import numpy as np
import pytest

from farm.api import Farm
from farm.api.room import Bound
from farm.errors import BusyError, FarmError, NoWorkersError, SourceError
from farm.results.result import Result
from tests.helpers.support import PATIENCE, children_of, glyphs, simulated, wait_for


@contextmanager
def slow_farm(**bound: int) -> Iterator[Farm]:
    """Its one worker is frozen with two images, the others wait; an error leaves the block."""
    config = simulated(size=1, batch=1, window=2, batch_seconds=3600)
    with suppress(KeyError), Farm(config, bound=Bound(**bound)) as farm:
        for pid in children_of(os.getpid()):
            os.kill(pid, signal.SIGSTOP)
        yield farm
        raise KeyError


def test_each_item_gets_the_answer_that_a_run_gives(renders: list[Path]) -> None:
    with Farm(glyphs()) as farm:
        expected = {result.path: result.top5 for result in farm.classify(renders)}
        with ThreadPoolExecutor(8) as threads:
            futures = dict(zip(renders, threads.map(farm.submit, renders), strict=True))
        for path, future in futures.items():
            assert future.result(PATIENCE).top5 == expected[str(path)]
        as_bytes = farm.submit(renders[0].read_bytes()).result(PATIENCE)
        as_pixels = farm.submit(np.asarray(cv2.imread(str(renders[0])), np.uint8)).result(PATIENCE)
    assert as_bytes.top5 == as_pixels.top5 == expected[str(renders[0])]
    assert as_bytes.path is None


def test_asyncio_gets_the_same_and_a_bad_image_spoils_no_other(renders: list[Path]) -> None:
    async def all_of(farm: Farm) -> list[Result]:
        items: list[Path | bytes] = [*renders, b"no image"]
        return await asyncio.gather(*(farm.asubmit(item) for item in items))

    with Farm(glyphs()) as farm:
        expected = [result.top5 for result in farm.classify(renders, ordered=True)]
        *good, bad = asyncio.run(all_of(farm))
    assert [result.top5 for result in good] == expected
    assert bad.error is not None
    assert bad.error.kind == "not_an_image"


def test_leaving_the_block_waits_for_all_that_was_submitted(renders: list[Path]) -> None:
    with Farm(simulated()) as farm:
        futures = [farm.submit(path) for path in renders]
    assert all(future.result(0).error is None for future in futures)


def test_an_error_in_the_block_ends_all_futures(renders: list[Path]) -> None:
    with slow_farm() as farm:
        futures = [farm.submit(path) for path in renders[:5]]
        lost = farm.drive()
    done, waiting = wait(futures, PATIENCE)
    assert not waiting
    assert all(isinstance(future.exception(), FarmError) for future in done)
    assert lost.exception(PATIENCE) is None


def test_more_than_the_bound_is_refused_or_waits(renders: list[Path]) -> None:
    with slow_farm(items=3) as farm:
        held = [farm.submit(renders[0]) for _ in range(3)]
        with pytest.raises(BusyError):
            farm.submit(renders[0], timeout=0)
        with pytest.raises(BusyError):
            asyncio.run(farm.asubmit(renders[0], timeout=0.01))
        with ThreadPoolExecutor(1) as other:
            waiting = other.submit(farm.submit, renders[0])
            assert not waiting.done()
            assert held[2].cancel()
            assert not waiting.result(PATIENCE).done()


def test_a_loop_that_does_not_wait_is_refused_where_there_is_no_room(
    renders: list[Path],
) -> None:
    async def submit_all(farm: Farm) -> None:
        held = [farm.submit_soon(path) for path in renders[:3]]
        with pytest.raises(BusyError):
            farm.submit_soon(renders[3])
        while facts_of(farm) != (2, 1):
            await asyncio.sleep(0.01)
        assert held[2].cancel()
        await asyncio.sleep(0)  # the farm's own future is told in the loop's next turn
        assert not farm.submit_soon(renders[3]).done()

    with slow_farm(items=3) as farm:
        asyncio.run(submit_all(farm))


def test_who_is_interrupted_while_he_waits_leaves_his_place(
    renders: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the room that he would be given later were lost."""

    def interrupted(_: Future[None], __: float | None) -> None:
        raise KeyboardInterrupt

    with slow_farm(items=1) as farm:
        first = farm.submit(renders[0])
        with monkeypatch.context() as patch:
            patch.setattr(Future, "result", interrupted)
            with pytest.raises(KeyboardInterrupt):
                farm.submit(renders[0])
        assert first.cancel()
        assert not farm.submit(renders[0], timeout=PATIENCE).done()


def test_what_is_cancelled_is_not_computed(renders: list[Path]) -> None:
    with slow_farm() as farm:
        futures = [farm.submit(path) for path in renders[:10]]
        assert wait_for(lambda: facts_of(farm) == (2, 8))
        for future in futures[2:9]:
            assert future.cancel()
        assert wait_for(lambda: facts_of(farm) == (2, 1))
        assert wait(futures[2:9], PATIENCE).not_done == set()
        assert futures[0].cancel()  # its worker goes on with it, and the answer is dropped
        with pytest.raises(CancelledError):
            futures[0].result(PATIENCE)


def test_a_cancelled_task_of_asyncio_withdraws_its_item(renders: list[Path]) -> None:
    async def give_up(farm: Farm) -> None:
        tasks = [asyncio.create_task(farm.asubmit(path)) for path in renders[:6]]
        while facts_of(farm) != (2, 2):  # two more wait for room
            await asyncio.sleep(0.01)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        assert all(task.cancelled() for task in tasks)

    with slow_farm(items=4) as farm:
        asyncio.run(give_up(farm))
        assert wait_for(lambda: facts_of(farm) == (2, 0))
        held = [farm.submit(renders[0], timeout=0) for _ in range(4)]  # all room is free again
        assert not any(future.done() for future in held)


def facts_of(farm: Farm) -> tuple[int, int]:
    """How many images workers hold, and how many wait."""
    facts = farm.snapshot().farm
    assert facts is not None
    return facts.in_flight, facts.waiting


def test_killed_workers_cost_no_item(renders: list[Path]) -> None:
    with Farm(simulated()) as farm:
        futures = [farm.submit(path) for path in renders * 5]
        os.kill(children_of(os.getpid())[0], signal.SIGKILL)
        assert all(future.result(PATIENCE).error is None for future in futures)
        assert farm.losses == 1


@pytest.mark.usefixtures("short_back_off")
def test_once_all_workers_are_lost_nobody_waits(renders: list[Path]) -> None:
    with Farm(simulated(size=1)) as farm:
        lost = farm.drive()
        futures = [farm.submit(path) for path in renders]
        killer = threading.Thread(target=kill_until, args=(lost,))
        killer.start()
        error = lost.exception(PATIENCE)
        killer.join()
        assert isinstance(error, NoWorkersError)
        assert wait(futures, PATIENCE).not_done == set()
        with pytest.raises(NoWorkersError):
            farm.submit(renders[0])


def kill_until(lost: Future[None]) -> None:
    while not lost.done():
        for pid in children_of(os.getpid()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@pytest.mark.usefixtures("short_back_off")
def test_an_idle_farm_tells_that_all_its_workers_are_lost() -> None:
    with Farm(simulated(size=1)) as farm:
        lost = farm.drive()
        kill_until(lost)
        assert isinstance(lost.exception(PATIENCE), NoWorkersError)


def test_what_is_no_image_is_told_to_who_submits_it(renders: list[Path]) -> None:
    with Farm(simulated()) as farm:
        with pytest.raises(SourceError):
            farm.submit(3)  # type: ignore[arg-type]
        assert farm.submit(renders[0]).result(PATIENCE).error is None


def test_a_farm_that_drives_itself_has_no_other_runs(renders: list[Path]) -> None:
    with Farm(simulated()) as farm:
        farm.submit(renders[0]).result(PATIENCE)
        with pytest.raises(FarmError, match="submit"):
            farm.classify(renders)


def test_a_callback_may_submit_and_does_not_wait_for_itself(renders: list[Path]) -> None:
    """The thread that calls it is the only one that could make room."""
    told: list[BaseException | None] = []

    def submit_again(_: Future[Result]) -> None:
        try:
            for path in renders[:3]:
                farm.submit(path)
        except BusyError as error:
            told.append(error)

    with Farm(simulated(), bound=Bound(items=2)) as farm:
        farm.submit(renders[0]).add_done_callback(submit_again)
        assert wait_for(lambda: bool(told))


def test_a_farm_opens_again_after_it_was_driven(renders: list[Path]) -> None:
    farm = Farm(simulated())
    for _ in range(2):
        with farm:
            assert farm.submit(renders[0]).result(PATIENCE).id == 0
            assert farm.submit(renders[0]).result(PATIENCE).id == 1
    with farm:
        assert len(list(farm.classify(renders[:3]))) == 3
    with pytest.raises(FarmError):
        farm.submit(renders[0])
