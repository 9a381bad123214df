from __future__ import annotations

import asyncio
import signal
from concurrent.futures import Future

import pytest

from farm.cluster.ends import Ends, unless
from farm.errors import HubError, NoWorkersError


def watched(signals: list[int], lost: Future[None]) -> Ends:
    async def watch() -> Ends:
        ends = Ends(signals, lost)
        watching = asyncio.ensure_future(ends.watch())
        await asyncio.wait_for(ends.stop.wait(), 60)
        watching.cancel()
        return ends

    return asyncio.run(watch())


def test_a_signal_leaves_time_to_finish_and_a_second_one_none() -> None:
    once = watched([signal.SIGTERM], Future())
    assert (once.error, once.hurry.is_set()) == (None, False)
    twice = watched([signal.SIGTERM, signal.SIGTERM], Future())
    assert (twice.error, twice.hurry.is_set()) == (None, True)


def test_a_farm_that_is_lost_ends_it_with_its_error() -> None:
    lost: Future[None] = Future()
    lost.set_exception(NoWorkersError("all lost"))
    ends = watched([], lost)
    assert isinstance(ends.error, NoWorkersError)
    assert ends.hurry.is_set()


def test_what_comes_after_the_end_is_no_error() -> None:
    async def end() -> Ends:
        ends = Ends([], Future())
        ends.stop.set()
        ends.end(HubError("closed by us"))
        return ends

    assert asyncio.run(end()).error is None


def test_work_is_left_once_the_event_is_set() -> None:
    async def both() -> tuple[int | None, int | None]:
        event = asyncio.Event()

        async def set_and_hang() -> int:
            event.set()
            await asyncio.sleep(3600)
            return 1

        done = await unless(event, asyncio.sleep(0, 2))
        return done, await unless(event, set_and_hang())

    assert asyncio.run(both()) == (2, None)


def test_an_error_of_the_work_is_raised() -> None:
    async def fail() -> None:
        raise HubError("no")

    async def call() -> None:
        await unless(asyncio.Event(), fail())

    with pytest.raises(HubError):
        asyncio.run(call())
