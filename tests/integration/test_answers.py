"""A worker that answers twice, late, for another, or with other items: one true result each.

`Stage.classify` looks at that: each image has one result, and the scores are its own.
"""

from __future__ import annotations

import os
import signal

import pytest

from tests.helpers.stage import Stage, process_of


def test_what_is_answered_twice_counts_once(stage: Stage) -> None:
    stage.arm(1, "answer", "twice", once=False)
    with stage.farm(2) as farm:
        while farm.strays < 3:
            stage.classify(farm)
        assert farm.losses == 0


def test_an_answer_for_another_batch_ends_nothing(stage: Stage) -> None:
    stage.arm(1, "answer", "another batch's")
    with stage.farm(2) as farm:
        # One that it holds itself has other items, which it is killed for.
        while not farm.strays and not farm.losses:
            stage.classify(farm)


@pytest.mark.parametrize("how", ["other items", "an item too few"])
def test_who_answers_with_other_items_is_replaced(stage: Stage, how: str) -> None:
    stage.arm(1, "answer", how)
    with stage.farm(2) as farm:
        while not stage.told.of("worker_back", 1):
            stage.classify(farm)
        assert farm.losses == 1
    assert len(stage.told.of("worker_died", 1)) == 1


def test_answers_of_an_earlier_life_are_dropped(stage: Stage) -> None:
    stage.arm(1, "answer", "those of an earlier life", once=False)
    with stage.farm(2) as farm:
        while not list(stage.faults.glob("1-*.kept")):
            stage.classify(farm)
        os.kill(process_of(1), signal.SIGKILL)
        while farm.strays < 3:
            stage.classify(farm)
        assert farm.losses == 1
