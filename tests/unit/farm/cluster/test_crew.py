"""The boards that work for a run."""

from __future__ import annotations

import logging

import pytest
from msgspec.structs import replace

from farm.cluster.crew import FEWEST_JOBS, Crew
from farm.cluster.jobs import MOST_IMAGES
from tests.unit.farm.cluster.test_offer import OFFER
from tests.unit.farm.cluster.test_presence import WHO

(QUEUE, *_) = OFFER.queues()
OTHER = replace(WHO, id="other", offer=replace(OFFER, model="0" * 64))


def test_what_may_be_in_the_hub_follows_what_boards_do() -> None:
    few = Crew(QUEUE, [WHO, OTHER])
    assert (few.size, few.bound.images) == (1, FEWEST_JOBS * MOST_IMAGES)
    quick = replace(WHO, rate=1000.0, window=100)
    many = Crew(QUEUE, [quick, quick])
    assert (many.size, many.bound.images) == (2, 6200)


def test_the_last_board_that_goes_and_the_first_that_is_back_are_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    crew = Crew(QUEUE, [WHO])
    told = []
    with caplog.at_level(logging.INFO, "farm"):
        for present in ([WHO], [OTHER], [], [OTHER], [WHO], [WHO]):
            crew.update(present)
            told.append([record.event for record in caplog.records])  # type: ignore[attr-defined]
            caplog.clear()
    assert told == [[], ["no_board"], [], [], ["board_back"], []]
