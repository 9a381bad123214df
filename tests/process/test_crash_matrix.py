"""{import, load, infer, reply} x {raise, exit, SIGSEGV, SIGKILL, hang}: what a user is told, and
that each image has one result, its own, whatever dies."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from farm.api import Farm
from farm.config import FarmConfig
from farm.results import Result
from tests.support import FAULTS, VENDOR, children_of, expected_of_the_fake

START_SECONDS = 5  # long enough for a healthy worker on a busy machine
SELF_TEST_SECONDS = 3
BATCH_SECONDS = 1

HOW = {1: "raise", 2: "exit", 3: "SIGSEGV", 4: "SIGKILL", 5: "hang"}  # by worker; 0 is well
WHERE = {
    "import": "its imports",
    "load": "RKNNLite.load_rknn({model!r})",
    "infer": "the self-test",  # is the first inference
    "reply": "saying that it is ready",  # is the first message
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


class Stage:
    """Farms on the fake of the vendor's package, any of whose workers can be made to misbehave."""

    def __init__(self, folder: Path, renders: list[Path]) -> None:
        self.model, self.faults = folder / "model.rknn", folder / "faults"
        self.model.write_text('{"ms": 1}', encoding="ascii")
        self.faults.mkdir()
        self.told: list[str] = []
        self._renders = renders

    def farm(self, workers: int) -> Farm:
        values = {
            "platform": "rk3588",
            "runtime": "rknn",
            "npu_cores": "all" if workers == 6 else [0, 1],
            "size": workers,
            "cpu": "all",
            "model": self.model,
            "start_seconds": START_SECONDS,
            "self_test_seconds": SELF_TEST_SECONDS,
            "batch_seconds": BATCH_SECONDS,
        }
        return Farm(FarmConfig.model_validate(values), tell=self.told.append)

    def arm(self, worker: int, at: str, how: str, *, after: int = 0, once: bool = True) -> None:
        """Let a worker misbehave at a step, after that has gone well `after` times."""
        fault = {"at": at, "how": how, "after": after, "once": once}
        (self.faults / f"worker-{worker}").write_text(json.dumps(fault), encoding="ascii")

    def said(self, line: str) -> bool:
        """Whether a line that begins so has been told."""
        return any(told.startswith(line) for told in self.told)

    def classify(self, farm: Farm) -> list[Result]:
        """Each image has one result, and the scores are its own."""
        first, images = farm.submitted, self._renders[:24]
        results = sorted(farm.classify(images), key=lambda result: result.id)
        assert [result.id for result in results] == list(range(first, first + len(images)))
        for result, image in zip(results, images, strict=True):
            assert result.error is None
            scores = [(p.class_id, p.score) for p in result.top5 or ()]
            assert (result.path, scores) == (str(image), expected_of_the_fake(image))
        return results

    def of_a_start(self, at: str, how: str) -> str:
        """What is said of a start that ends so."""
        step = WHERE[at].format(model=str(self.model))
        limit = START_SECONDS if at in ("import", "load") else SELF_TEST_SECONDS
        said = OF_A_START.get((at, how)) or OF_A_START[how]
        return said.format(step=step, limit=limit, model=str(self.model))


@pytest.fixture
def stage(
    tmp_path: Path, renders: list[Path], monkeypatch: pytest.MonkeyPatch, run_dirs: Path
) -> Iterator[Stage]:
    stage = Stage(tmp_path, renders)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(FAULTS), str(VENDOR)]))
    monkeypatch.setenv("FAULTS", str(stage.faults))
    yield stage
    assert children_of(os.getpid()) == []
    assert list(run_dirs.iterdir()) == []


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
        assert stage.said(f"worker {worker} could not start: {stage.of_a_start(at, how)}")
    assert stage.said("NPU core 1 IS LEFT OUT; its share goes to NPU core(s) 0")


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
        assert stage.said(f"worker {worker} died ({stage.of_a_start(at, how)}")
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


def process_of(worker: int) -> int:
    """The process id of a worker."""
    named = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children_of(os.getpid())}
    return next(pid for pid, command in named.items() if b"\0worker-%d\0" % worker in command)
