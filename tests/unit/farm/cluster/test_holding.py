from __future__ import annotations

import asyncio
from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.cluster import holding as module
from farm.cluster.holding import Holding


class Job:
    """As much of a message as is looked at."""

    def __init__(self, reply: str, data: bytes = b"") -> None:
        self.reply, self.data = reply, data


def held(holding: Holding, images: int, *, name: str = "j", data: bytes = b"") -> Any:
    return holding.held(Job(name, data), images)  # type: ignore[arg-type]


def test_it_asks_for_as_much_as_it_has_room_for_and_no_more() -> None:
    holding = Holding(48)
    assert holding.wanted == 3  # 16 images each, as far as is known
    with held(holding, 24):
        assert holding.wanted == 1
        with held(holding, 24, name="k"):
            assert holding.wanted == 1  # ahead of what the workers have
            with held(holding, 24, name="l"):
                assert holding.wanted == 0
    assert (holding.images, holding.jobs) == (0, {})
    assert holding.wanted == 2  # of 24 each, as it knows now


def test_a_fast_board_holds_more() -> None:
    holding = Holding(48)
    holding.pace(1000.0)
    assert holding.window == 48 + 1 + 250


def test_large_images_fill_it_before_many_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 100)
    holding = Holding(48)
    with held(holding, 1, data=b"x" * 100):
        assert holding.wanted == 0
    assert holding.wanted > 0


@given(st.lists(st.integers(1, 64), max_size=20), st.integers(1, 500))
def test_all_that_is_taken_in_is_given_back(jobs: list[int], pipeline: int) -> None:
    holding = Holding(pipeline)
    with ExitStack() as stack:
        for number, images in enumerate(jobs):
            stack.enter_context(held(holding, images, name=str(number)))
            assert (holding.wanted > 0) == (holding.images < holding.window)
        assert (holding.images, len(holding.jobs)) == (sum(jobs), len(jobs))
    assert (holding.images, len(holding.jobs)) == (0, 0)


def test_who_waits_for_room_or_for_the_end_gets_it() -> None:
    async def wait() -> int:
        holding = Holding(10)
        with held(holding, 11):
            room = asyncio.ensure_future(holding.room())
            empty = asyncio.ensure_future(holding.empty())
            await asyncio.sleep(0)
            assert (room.done(), empty.done()) == (False, False)
        await asyncio.wait_for(empty, 60)
        return await asyncio.wait_for(room, 60)

    assert asyncio.run(wait()) == 1


def test_a_hub_that_was_killed_may_deliver_a_job_twice_with_the_same_words() -> None:
    """It has lost what it had noted of the first delivery: the board holds both."""
    holding = Holding(48)
    with held(holding, 16, name="same"):
        with held(holding, 16, name="same"):
            assert (len(holding.jobs), holding.images) == (2, 32)
        assert (len(holding.jobs), holding.images) == (1, 16)
    assert holding.jobs == {}
