"""The supervisor decides about workers; their processes and the clock are made up."""

from __future__ import annotations

import math
from typing import Any, ClassVar, cast

import pytest

from farm.coordinator.limits import Limits
from farm.coordinator.notices import Notices
from farm.coordinator.supervisor import LEAVE_SECONDS, Change, Supervisor
from farm.coordinator.worker_output import WorkerOutput
from farm.coordinator.worker_process import END_SECONDS
from farm.scheduler.events import Kill, WorkerUp
from farm.scheduler.lifecycle import DEATHS_ALLOWED, State
from tests.helpers.support import worker_spec
from tests.helpers.told import Told
from workers.protocol import startup as steps
from workers.protocol.messages import Failed, Ready
from workers.protocol.sockets import Context
from workers.protocol.spec import NHWC, UINT8, InputSpec, WorkerSpec

SELF_TEST_SECONDS = 10
START_SECONDS = 60


class Made:
    """A process that does nothing, in its self-test; it ends, or not, as a test says."""

    step = steps.SELF_TEST
    refuses: ClassVar[str] = ""  # why no further one can be started

    def __init__(
        self, spec: WorkerSpec, generation: int, _context: Context, _server: object
    ) -> None:
        if self.refuses:
            raise OSError(self.refuses)
        self.index, self.generation, self.log = spec.index, generation, WorkerOutput()
        self.pid, self.over_at = 1000 + spec.index, math.inf
        self.refused = self.stuck = False

    def listen(self) -> None:
        self.log.step = self.step

    def notice(self, *_: object, **__: object) -> None:
        self.listen()

    def end(self) -> None:
        self.over_at = 0

    def memory_mb(self) -> float:
        return 0

    def how_it_ended(self) -> str:
        return f"SIGKILL in {self.log.step}"

    def kill(self, *, now: float) -> None:
        self.over_at, self.stuck = now + END_SECONDS, True

    def ask_to_stop(self) -> None:
        pass

    terminate = close = ask_to_stop


class Server:
    """Forks nothing."""

    def __init__(self, run_dir: str, max_pixels: int) -> None:
        pass

    def listen(self) -> None:
        pass


class AtOnce(Notices):
    """Each thing is a step of its own."""

    def _warn(self, event: str, message: str, **fields: int) -> None:
        with self:
            super()._warn(event, message, **fields)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    monkeypatch.setattr("farm.coordinator.supervisor.WorkerProcess", Made)
    monkeypatch.setattr("farm.coordinator.supervisor.ForkServer", Server)
    monkeypatch.setattr("farm.coordinator.supervisor.Notices", AtOnce)
    return Told()


def launched(told: Told, *, workers: int = 1, **changes: Any) -> Supervisor:
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
    supervisor = Supervisor(specs, cast(Context, None), limits, told)
    supervisor.launch(now=0)
    return supervisor


def end(supervisor: Supervisor, worker: int, *, now: float) -> list[Change]:
    """The process of a worker is gone."""
    cast(Made, supervisor.slots[worker].process).end()
    return supervisor.tick(now=now)


def ready(worker: int = 0, generation: int = 1, model: str = "c0ffee") -> Ready:
    size = InputSpec(width=8, height=8, layout=NHWC, dtype=UINT8)
    return Ready(
        worker=worker,
        generation=generation,
        model=model,
        input=size,
        classes=5,
        reading="SOFTMAX",
        self_test_ms=1.0,
    )


def failed(worker: int = 0, generation: int = 1) -> Failed:
    return Failed(worker=worker, generation=generation, message="no good")


@pytest.mark.parametrize("message", [ready(), failed()])
def test_what_a_worker_says_as_its_time_ends_comes_too_late(
    told: Told, message: Ready | Failed
) -> None:
    supervisor = launched(told)
    supervisor.tick(now=START_SECONDS + 1)
    said = list(told)
    assert supervisor.on_message(message, now=START_SECONDS + 1.01) == []
    assert supervisor.slots[0].state is State.BROKEN
    supervisor.stop(kill=True, now=START_SECONDS + 1)
    assert supervisor.on_message(message, now=START_SECONDS + 1.02) == []
    assert list(told) == said


@pytest.mark.parametrize("message", [ready(generation=2), failed(generation=2)])
def test_so_it_does_of_one_that_was_started_again(told: Told, message: Ready | Failed) -> None:
    supervisor = launched(told)
    supervisor.on_message(ready(), now=1)
    end(supervisor, 0, now=2)
    supervisor.tick(now=3)
    supervisor.tick(now=3 + START_SECONDS)
    assert supervisor.on_message(message, now=70) == []
    assert supervisor.slots[0].state is State.FAILING


def test_a_worker_that_never_comes_back_is_given_up_however_long_each_start_takes(
    told: Told,
) -> None:
    supervisor = launched(told)
    supervisor.on_message(ready(), now=1)
    now, starts = 2.0, 0
    end(supervisor, 0, now=now)
    while not supervisor.slots.all_failed and starts < 20:
        starts += 1
        now = supervisor.deadline() or now
        supervisor.tick(now=now)
        supervisor.on_readable((), now=now)
        now += SELF_TEST_SECONDS
        supervisor.tick(now=now)
        end(supervisor, 0, now=now)
    assert starts == DEATHS_ALLOWED
    assert now > 60
    assert supervisor.slots.bad_cores == (0,)
    assert "worker 0 died 7 times in 66 s (the self-test has not ended" in list(told)[-1]


def test_a_worker_that_came_back_in_between_is_not_given_up_for_deaths_long_ago(
    told: Told,
) -> None:
    supervisor = launched(told)
    now = 1.0
    for generation in range(1, 20):
        supervisor.on_message(ready(generation=generation), now=now)
        end(supervisor, 0, now=now)
        now += 30
        supervisor.tick(now=now)
    assert not supervisor.slots.all_failed


def test_without_an_npu_no_core_is_bad(told: Told) -> None:
    supervisor = launched(told, workers=2, runtime="onnx")
    supervisor.on_message(ready(), now=1)
    end(supervisor, 1, now=1)
    assert supervisor.slots[1].state is State.BROKEN
    assert supervisor.slots.bad_cores == ()
    assert list(told) == ["worker 1 could not start: SIGKILL in its start"]


def test_a_trouble_is_explained_after_the_line_that_it_explains(told: Told) -> None:
    supervisor = launched(told)
    supervisor.on_message(ready(), now=1)
    trouble = Failed(worker=0, generation=1, message="RKNNLite.run returned -1: failed to submit!")
    supervisor.on_message(trouble, now=2)
    assert list(told) == []
    end(supervisor, 0, now=2)
    assert [line.partition(" (")[0].partition(": ")[0] for line in told] == [
        "worker 0 died",
        "that means",
    ]


def test_a_start_that_tells_no_step_is_too_slow_in_good_english(told: Told) -> None:
    supervisor = launched(told, runtime="onnx")
    supervisor.tick(now=START_SECONDS + 1)
    assert list(told) == ["worker 0 could not start: its start has not ended within 60 s"]


def test_a_task_has_the_time_of_a_start_after_the_self_test(told: Told) -> None:
    supervisor = launched(told)
    supervisor.on_readable((), now=1)
    cast(Made, supervisor.slots[0].process).step = "making the task mine:f"
    supervisor.on_readable((), now=9)
    supervisor.tick(now=9 + START_SECONDS - 1)
    assert list(told) == []
    supervisor.tick(now=9 + START_SECONDS + 1)
    assert list(told) == [
        "worker 0 could not start: making the task mine:f has not ended within 60 s"
    ]


@pytest.mark.parametrize("restarted", [False, True])
def test_a_worker_with_another_model_gets_no_images_and_leaves_for_good(
    told: Told, restarted: bool
) -> None:
    supervisor, generation = launched(told, workers=3, model="net.onnx"), 1
    assert supervisor.on_message(ready(0), now=1) == [WorkerUp(0)]
    if restarted:
        supervisor.on_message(ready(1), now=1)
        end(supervisor, 1, now=2)
        supervisor.tick(now=3)
        generation = 2
    assert supervisor.on_message(ready(1, generation, model="decaf"), now=4) == []
    assert supervisor.slots[1].state is State.BROKEN
    assert "net.onnx has changed since the farm started" in supervisor.slots.reasons()[0]
    supervisor.tick(now=4 + LEAVE_SECONDS)
    assert cast(Made, supervisor.slots[1].process).stuck  # it did not leave: SIGKILL
    end(supervisor, 1, now=10)
    assert supervisor.on_message(ready(2), now=11) == [WorkerUp(2)]
    assert supervisor.slots[1].process is None
    assert len(told.of("worker_start_failed", 1)) == 1


def test_the_model_of_the_first_worker_counts_also_when_that_is_gone(told: Told) -> None:
    supervisor = launched(told, workers=2, model="net.onnx")
    supervisor.on_message(ready(0), now=1)
    end(supervisor, 0, now=2)
    supervisor.on_message(ready(1, model="decaf"), now=3)
    assert supervisor.slots[1].state is State.BROKEN
    supervisor.tick(now=3)
    assert supervisor.on_message(ready(0, 2), now=4) == [WorkerUp(0)]


def test_another_model_that_comes_as_the_farm_stops_is_nothing_to_tell(told: Told) -> None:
    supervisor = launched(told, workers=2)
    supervisor.on_message(ready(0), now=1)
    supervisor.stop(kill=False, now=2)
    assert supervisor.on_message(ready(1, model="decaf"), now=3) == []
    assert supervisor.slots[1].state is State.STOPPING
    assert list(told) == []


@pytest.mark.parametrize("state", ["up", "failing", "retiring", "broken", "stopping"])
def test_what_sigkill_does_not_end_is_given_up_whatever_it_was_in(told: Told, state: str) -> None:
    supervisor = launched(told, workers=2)
    supervisor.on_message(ready(1), now=1)
    if state != "broken":
        supervisor.on_message(ready(), now=1)
    now = 2.0
    match state:
        case "up":
            supervisor.terminate(Kill(0, "no answer within 3 s", hangs=True), now=now)
        case "failing" | "broken":
            supervisor.on_message(failed(), now=now)
        case "retiring":
            supervisor.replace(0, now=now)
        case "stopping":
            supervisor.stop(kill=True, now=now)
    slot, down = supervisor.slots[0], list[Change]()
    while slot.process is not None:
        now = supervisor.deadline() or now
        down += supervisor.tick(now=now)
    assert now < 2 + LEAVE_SECONDS + END_SECONDS + 0.1
    assert slot.state is (State.GONE if state == "stopping" else State.BROKEN)
    assert len(told.of("worker_stuck", 0)) == 1
    assert [change.worker for change in down] == ([0] if state == "up" else [])
    if state != "stopping":
        assert supervisor.slots.bad_cores == (0,)
    assert supervisor.on_message(ready(), now=now) == []  # too late, if it comes at all
    assert supervisor.strays == 1


def test_a_start_that_is_refused_is_tried_again_while_another_worker_runs(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor = launched(told, workers=3)
    for worker in range(3):
        supervisor.on_message(ready(worker), now=1)
    monkeypatch.setattr(Made, "refuses", "the limit is reached")
    now = 2.0
    end(supervisor, 0, now=now)
    end(supervisor, 1, now=now)
    for _ in range(50):
        now = supervisor.deadline() or now
        supervisor.tick(now=now)
    slots = supervisor.slots
    assert [slot.state for slot in slots] == [State.LOST, State.LOST, State.UP]
    assert [len(slot.deaths) for slot in slots[:2]] == [1, 1]
    (line,) = told.of("worker_refused")  # not at each try, and not for each worker
    assert "the limit is reached" in line
    monkeypatch.setattr(Made, "refuses", "")
    supervisor.tick(now=now + 60)
    for slot in slots[:2]:
        supervisor.on_message(ready(slot.spec.index, slot.generation), now=now + 61)
    assert [slot.state for slot in slots] == [State.UP] * 3
    assert [slot.refusals for slot in slots] == [0] * 3


def test_with_no_worker_left_refused_starts_give_the_slots_up(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor = launched(told, workers=2)
    supervisor.on_message(ready(0), now=1)
    supervisor.on_message(ready(1), now=1)
    monkeypatch.setattr(Made, "refuses", "the limit is reached")
    end(supervisor, 0, now=2)
    end(supervisor, 1, now=2)
    while (now := supervisor.deadline()) is not None:
        supervisor.tick(now=now)
        assert now < 30
    assert supervisor.slots.all_failed
    assert supervisor.slots.reasons() == ["the limit is reached"]
    assert told.of("worker_start_failed", 0)
    assert told.of("worker_start_failed", 1)


def test_a_first_start_that_is_refused_for_good_keeps_no_farm_from_starting(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Made, "refuses", "the limit is reached")
    supervisor = launched(told, workers=2)
    assert [slot.state for slot in supervisor.slots] == [State.WAITING] * 2
    monkeypatch.setattr(Made, "refuses", "")
    supervisor.tick(now=0.1)
    supervisor.on_message(ready(0, generation=2), now=1)
    supervisor.on_message(ready(1, generation=2), now=1)
    assert not supervisor.slots.starting
    assert [slot.state for slot in supervisor.slots] == [State.UP] * 2


def test_a_worker_that_the_fork_server_could_not_fork_was_refused_and_did_not_die(
    told: Told,
) -> None:
    supervisor = launched(told)
    cast(Made, supervisor.slots[0].process).refused = True
    end(supervisor, 0, now=1)
    assert supervisor.slots[0].state is State.WAITING
    assert supervisor.slots[0].deaths == []
