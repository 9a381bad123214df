from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import Any

import pytest

from farm.api.mailbox import Mailbox
from farm.results.result import Result, Timings


def a_result(number: int) -> Result:
    ms = Timings(queue=0.0, decode=0.0, wait=0.0, infer=0.0, total=0.0)
    return Result(id=number, path=None, error=None, worker=0, attempts=1, ms=ms, simulated=True)


def nobody() -> None:
    """There is no farm to wake."""


async def mailed() -> tuple[Mailbox, Future[Result], asyncio.Future[Result]]:
    mailbox, future = Mailbox(asyncio.get_running_loop(), nobody), Future[Result]()
    return mailbox, future, mailbox.wrap(future)


def test_a_waiter_ends_as_its_future() -> None:
    async def main() -> None:
        _, future, waiter = await mailed()
        future.set_result(a_result(7))
        assert (await waiter).id == 7
        _, future, waiter = await mailed()
        future.set_exception(KeyError("theirs"))
        with pytest.raises(KeyError):
            await waiter
        _, future, waiter = await mailed()
        future.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiter

    asyncio.run(main())


def test_cancelling_a_waiter_cancels_its_future() -> None:
    async def main() -> None:
        _, future, waiter = await mailed()
        waiter.cancel()
        await asyncio.sleep(0)
        assert future.cancelled()

    asyncio.run(main())


def test_what_ends_together_wakes_the_loop_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        mailbox, wakings = Mailbox(loop, nobody), []
        wake = loop.call_soon_threadsafe

        def counted(*words: Any) -> Any:
            wakings.append(words)
            return wake(*words)

        monkeypatch.setattr(loop, "call_soon_threadsafe", counted)
        futures = [Future[Result]() for _ in range(5)]
        waiters = [mailbox.wrap(future) for future in futures]
        for number, future in enumerate(futures):
            future.set_result(a_result(number))
        assert [result.id for result in await asyncio.gather(*waiters)] == [0, 1, 2, 3, 4]
        assert len(wakings) == 1

    asyncio.run(main())


def test_threads_that_end_futures_at_any_moment_leave_no_waiter_behind() -> None:
    """Between the loop's last look and its end, one more may come."""

    async def main() -> None:
        mailbox = Mailbox(asyncio.get_running_loop(), nobody)
        for _ in range(300):
            futures = [Future[Result]() for _ in range(8)]
            waiters = [mailbox.wrap(future) for future in futures]
            done = asyncio.gather(*(asyncio.to_thread(f.set_result, a_result(0)) for f in futures))
            await asyncio.wait_for(asyncio.gather(*waiters), 60)
            await done

    asyncio.run(main())


def test_a_loop_that_is_closed_is_not_waited_for() -> None:
    _, future, waiter = asyncio.run(mailed())
    future.set_result(a_result(0))
    assert not waiter.done()


def test_what_is_submitted_in_one_turn_wakes_the_farm_once() -> None:
    async def main() -> None:
        wakings: list[None] = []
        mailbox = Mailbox(asyncio.get_running_loop(), lambda: wakings.append(None))
        for turn in (1, 2):
            for _ in range(5):
                mailbox.wake_farm_soon()
            assert len(wakings) == turn - 1
            await asyncio.sleep(0)
            assert len(wakings) == turn

    asyncio.run(main())
