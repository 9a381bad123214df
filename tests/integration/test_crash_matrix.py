"""{import, load, infer, reply} x {raise, exit, SIGSEGV, SIGKILL, hang}: what a user is told, and
that each image has one result, its own, whatever dies."""

from __future__ import annotations

import os
import signal

import pytest

from tests.helpers.programs import missing
from tests.helpers.stage import BATCH_SECONDS, SELF_TEST_SECONDS, START_SECONDS, Stage, process_of

HOW = {1: "raise", 2: "exit", 3: "SIGSEGV", 4: "SIGKILL", 5: "hang"}  # by worker; 0 is well
WHERE = {
    "import": "its start",
    "load": "RKNNLite.load_rknn({model!r})",
    "infer": "the self-test",  # is the first inference
    "reply": "its ready message",  # is the first message
}
# What a user is told of an end: the key facts.
RAISED = {
    "import": ("rknn-toolkit-lite2", "made to fail"),
    "load": ("RKNNLite.load_rknn({model!r})", "made to fail"),
    "infer": ("RKNNLite.run", "made to fail"),
    "reply": ("exit code 1", "Exception: made to fail"),
}
ENDED = {
    "exit": ("exit code 7",),
    "SIGSEGV": ("SIGSEGV",),
    "SIGKILL": ("SIGKILL",),
    "hang": ("{limit} s",),
}


def of_a_start(at: str, how: str, stage: Stage) -> tuple[str, ...]:
    """What must be said of a start that ends so: how and, but where it raises, in which step."""
    limit = START_SECONDS if at in ("import", "load") else SELF_TEST_SECONDS
    facts = RAISED[at] if how == "raise" else (*ENDED[how], WHERE[at])
    return tuple(fact.format(limit=limit, model=str(stage.model)) for fact in facts)


def of_work(at: str, how: str) -> tuple[str, ...]:
    """What must be said of a worker that ends so while it works."""
    facts = RAISED[at] if how == "raise" else ENDED[how]
    return tuple(fact.format(limit=BATCH_SECONDS) for fact in facts)


@pytest.mark.parametrize("at", WHERE)
def test_workers_that_can_not_start_are_left_out_and_another_does_it_all(
    stage: Stage, at: str
) -> None:
    for worker, how in HOW.items():
        stage.arm(worker, at, how, once=False)
    with stage.farm(1 + len(HOW)) as farm:
        results = stage.classify(farm)
        assert farm.bad_cores == (1, 2)
        assert farm.losses == 0
    assert {result.worker for result in results} == {0}
    for worker, how in HOW.items():
        (told,) = stage.told.of("worker_start_failed", worker)
        assert missing(of_a_start(at, how, stage), told) == []
    assert len(stage.told.of("npu_core_left_out", 1)) == 1


@pytest.mark.parametrize("at", WHERE)
def test_later_starts_that_fail_are_tried_again(stage: Stage, at: str) -> None:
    with stage.farm(1 + len(HOW)) as farm:
        for worker, how in HOW.items():
            stage.arm(worker, at, how)
            os.kill(process_of(worker), signal.SIGKILL)
        while not all(stage.told.of("worker_back", worker) for worker in HOW):
            stage.classify(farm)
        assert farm.losses == len(HOW)
        assert farm.bad_cores == ()
    for worker, how in HOW.items():
        first, second = stage.told.of("worker_died", worker)
        assert missing(("SIGKILL", "0.1 s"), first) == []
        assert missing(of_a_start(at, how, stage), second) == []


@pytest.mark.parametrize("how", HOW.values())
@pytest.mark.parametrize("at", ["infer", "reply"])
def test_a_worker_that_ends_amid_a_run_costs_no_image(stage: Stage, at: str, how: str) -> None:
    stage.arm(1, at, how, after=3)
    attempts = 0
    with stage.farm(2) as farm:
        while not stage.told.of("worker_back", 1):
            attempts = max(attempts, *(result.attempts for result in stage.classify(farm)))
        assert farm.losses == 1
        assert farm.bad_cores == ()
    (told,) = stage.told.of("worker_died", 1)
    assert missing(of_work(at, how), told) == []
    assert attempts == 2
