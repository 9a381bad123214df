"""{import, load, infer, reply} x {raise, exit, SIGSEGV, SIGKILL, hang}: what a user is told, and
that each image has one result, its own, whatever dies."""

from __future__ import annotations

import os
import signal

import pytest

from tests.helpers.stage import BATCH_SECONDS, SELF_TEST_SECONDS, START_SECONDS, Stage, process_of

HOW = {1: "raise", 2: "exit", 3: "SIGSEGV", 4: "SIGKILL", 5: "hang"}  # by worker; 0 is well
WHERE = {
    "import": "its start",
    "load": "RKNNLite.load_rknn({model!r})",
    "infer": "the self-test",  # is the first inference
    "reply": "its ready message",  # is the first message
}
# What is said of a start that ends so: {step} as above.
OF_A_START = {
    ("import", "raise"): "rknn-toolkit-lite2 can't be imported (made to fail)",
    ("load", "raise"): "RKNNLite.load_rknn({model!r}) failed: made to fail",
    ("infer", "raise"): "the self-test failed: RKNNLite.run failed: made to fail",
    ("reply", "raise"): "exit code 1 in {step}: Exception: made to fail",
    "exit": "exit code 7 in {step}",
    "SIGSEGV": "SIGSEGV in {step}",
    "SIGKILL": "SIGKILL in {step}",
    "hang": "{step} has not ended within {limit} s",
}
# What is said of a worker that has been at work.
OF_WORK = {
    ("infer", "raise"): "RKNNLite.run failed: made to fail",
    ("reply", "raise"): "exit code 1: Exception: made to fail",
    "exit": "exit code 7",
    "SIGSEGV": "SIGSEGV",
    "SIGKILL": "SIGKILL",
    "hang": f"no answer for {BATCH_SECONDS} s",
}


def of_a_start(at: str, how: str, stage: Stage) -> str:
    """What is said of a start that ends so."""
    model = str(stage.model)
    limit = START_SECONDS if at in ("import", "load") else SELF_TEST_SECONDS
    said = OF_A_START.get((at, how)) or OF_A_START[how]
    return said.format(step=WHERE[at].format(model=model), limit=limit, model=model)


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
        assert stage.said(f"worker {worker} could not start: {of_a_start(at, how, stage)}")
    assert stage.said("NPU core 1 IS LEFT OUT; NPU core 0 takes over")


@pytest.mark.parametrize("at", WHERE)
def test_later_starts_that_fail_are_tried_again(stage: Stage, at: str) -> None:
    with stage.farm(1 + len(HOW)) as farm:
        for worker, how in HOW.items():
            stage.arm(worker, at, how)
            os.kill(process_of(worker), signal.SIGKILL)
        while not all(stage.said(f"worker {worker} is back") for worker in HOW):
            stage.classify(farm)
        assert farm.losses == len(HOW)
        assert farm.bad_cores == ()
    for worker, how in HOW.items():
        assert stage.said(f"worker {worker} died (SIGKILL); a new one starts in 0.1 s")
        assert stage.said(f"worker {worker} died ({of_a_start(at, how, stage)}")
        assert sum(told.startswith(f"worker {worker} died") for told in stage.told) == 2


@pytest.mark.parametrize("how", HOW.values())
@pytest.mark.parametrize("at", ["infer", "reply"])
def test_a_worker_that_ends_amid_a_run_costs_no_image(stage: Stage, at: str, how: str) -> None:
    stage.arm(1, at, how, after=3)
    attempts = 0
    with stage.farm(2) as farm:
        while not stage.said("worker 1 is back"):
            attempts = max(attempts, *(result.attempts for result in stage.classify(farm)))
        assert farm.losses == 1
        assert farm.bad_cores == ()
    assert stage.said(f"worker 1 died ({OF_WORK.get((at, how)) or OF_WORK[how]}")
    assert attempts == 2
