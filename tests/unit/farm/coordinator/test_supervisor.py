"""A crew's decisions about its workers, whose processes are made up and the clock with them."""

from __future__ import annotations

from typing import Any, cast

import pytest

from farm.coordinator.limits import Limits
from farm.coordinator.supervisor import Crew
from farm.coordinator.worker_output import LastWords
from farm.scheduler.lifecycle import DEATHS_ALLOWED, State
from tests.helpers.support import worker_spec
from workers.protocol import startup_steps as steps
from workers.protocol.messages import Failed, Ready
from workers.protocol.sockets import Context
from workers.protocol.spec import NHWC, UINT8, InputSpec, WorkerSpec

SELF_TEST_SECONDS = 10
START_SECONDS = 60


class Made:
    """A process that does nothing, in its self-test."""

    def __init__(
        self, spec: WorkerSpec, generation: int, _context: Context, _server: object
    ) -> None:
        self.index, self.generation, self.words = spec.index, generation, LastWords()

    def listen(self) -> bool:
        self.words.step = steps.SELF_TEST
        return True

    def reap(self) -> str:
        return f"SIGKILL in {self.words.step}"

    def ask_to_stop(self) -> None:
        pass

    kill = terminate = close = ask_to_stop


class Server:
    """Forks nothing."""

    def __init__(self, run_dir: str, max_pixels: int) -> None:
        pass

    def renewed(self) -> Server:
        return self


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr("farm.coordinator.supervisor.WorkerProcess", Made)
    monkeypatch.setattr("farm.coordinator.supervisor.ForkServer", Server)
    return []


def launched(told: list[str], *, workers: int = 1, **changes: Any) -> Crew:
    limits = Limits(
        batch=1,
        window=1,
        start_seconds=START_SECONDS,
        self_test_seconds=SELF_TEST_SECONDS,
        batch_seconds=60,
        worker_mb=1000,
        bad_cores=True,
    )
    spec = {"runtime": "rknn", **changes}
    specs = [worker_spec(index=index, npu_core=index, **spec) for index in range(workers)]
    crew = Crew(specs, cast(Context, None), limits, told.append)
    crew.launch(now=0)
    return crew


def ready(worker: int = 0, generation: int = 1) -> Ready:
    size = InputSpec(width=8, height=8, layout=NHWC, dtype=UINT8)
    return Ready(worker=worker, generation=generation, input=size, classes=5, self_test_ms=1.0)


def failed(worker: int = 0, generation: int = 1) -> Failed:
    return Failed(worker=worker, generation=generation, message="no good")


@pytest.mark.parametrize("message", [ready(), failed()])
def test_what_a_worker_says_as_its_time_ends_comes_too_late(
    told: list[str], message: Ready | Failed
) -> None:
    crew = launched(told)
    crew.tick(now=START_SECONDS + 1)
    said = list(told)
    assert crew.heard(message, now=START_SECONDS + 1.01) == []
    assert crew.members[0].state is State.BROKEN
    crew.stop(kill=True)
    assert crew.heard(message, now=START_SECONDS + 1.02) == []
    assert told == said


@pytest.mark.parametrize("message", [ready(generation=2), failed(generation=2)])
def test_so_it_does_of_one_that_was_started_again(told: list[str], message: Ready | Failed) -> None:
    crew = launched(told)
    crew.heard(ready(), now=1)
    crew.exited(0, now=2)
    crew.tick(now=3)
    crew.tick(now=3 + START_SECONDS)
    assert crew.heard(message, now=70) == []
    assert crew.members[0].state is State.FAILING


def test_a_worker_that_never_comes_back_is_given_up_however_long_each_start_takes(
    told: list[str],
) -> None:
    crew = launched(told)
    crew.heard(ready(), now=1)
    now, starts = 2.0, 0
    crew.exited(0, now=now)
    while not crew.hopeless and starts < 20:
        starts += 1
        now = crew.deadline() or now
        crew.tick(now=now)
        crew.printed(0, now=now)
        now += SELF_TEST_SECONDS
        crew.tick(now=now)
        crew.exited(0, now=now)
    assert starts == DEATHS_ALLOWED
    assert now > 60
    assert crew.bad_cores() == (0,)
    assert "worker 0 died 7 times in 66 s (the self-test has not ended" in told[-1]


def test_a_worker_that_came_back_in_between_is_not_given_up_for_deaths_long_ago(
    told: list[str],
) -> None:
    crew = launched(told)
    now = 1.0
    for generation in range(1, 20):
        crew.heard(ready(generation=generation), now=now)
        crew.exited(0, now=now)
        now += 30
        crew.tick(now=now)
    assert not crew.hopeless


def test_without_an_npu_no_core_is_bad(told: list[str]) -> None:
    crew = launched(told, workers=2, runtime="onnx")
    crew.heard(ready(), now=1)
    crew.exited(1, now=1)
    assert crew.members[1].state is State.BROKEN
    assert crew.bad_cores() == ()
    assert told == ["worker 1 could not start: SIGKILL in its start"]


def test_a_trouble_is_explained_after_the_line_that_it_explains(told: list[str]) -> None:
    crew = launched(told)
    crew.heard(ready(), now=1)
    trouble = Failed(worker=0, generation=1, message="RKNNLite.run returned -1: failed to submit!")
    crew.heard(trouble, now=2)
    assert told == []
    crew.exited(0, now=2)
    assert [line.partition(" (")[0].partition(": ")[0] for line in told] == [
        "worker 0 died",
        "that means",
    ]


def test_a_start_that_tells_no_step_is_too_slow_in_good_english(told: list[str]) -> None:
    crew = launched(told, runtime="onnx")
    crew.tick(now=START_SECONDS + 1)
    assert told == ["worker 0 could not start: its start has not ended within 60 s"]
