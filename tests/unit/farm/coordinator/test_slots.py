"""What slots remember, and what is known of all of them."""

from __future__ import annotations

import math

import pytest
from msgspec.structs import replace

from farm.coordinator.slots import Slots, WorkerSlot
from farm.scheduler.lifecycle import (
    DEATHS_ALLOWED,
    LONGEST_BACK_OFF,
    Event,
    IllegalTransitionError,
    State,
)
from tests.helpers.support import worker_spec
from workers.protocol.messages import Ready
from workers.protocol.spec import NHWC, UINT8, InputSpec


def slot(state: State, npu_core: int = 0, runtime: str = "rknn", reason: str = "") -> WorkerSlot:
    spec = worker_spec(npu_core=npu_core, runtime=runtime)
    return WorkerSlot(spec, state=state, reason=reason)


def test_a_state_has_its_own_time_limit_or_none() -> None:
    one = slot(State.UP)
    one.enter(Event.RETIRE, due=5)
    assert (one.state, one.due) == (State.RETIRING, 5)
    one.enter(Event.STOP)
    assert (one.state, one.due) == (State.STOPPING, math.inf)
    with pytest.raises(IllegalTransitionError):
        one.enter(Event.RETIRE)


def test_a_refused_start_is_given_up_only_where_nobody_else_runs() -> None:
    alone, with_others = slot(State.LOST), slot(State.LOST)
    waits = [alone.refused(alone=True) for _ in range(DEATHS_ALLOWED + 1)]
    assert waits == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, None]
    more = [with_others.refused(alone=False) for _ in range(2000)]
    assert more[:6] == waits[:6]
    assert all(wait is not None and wait <= LONGEST_BACK_OFF for wait in more)


def test_a_core_is_bad_when_none_of_its_workers_is_left() -> None:
    slots = Slots([slot(State.BROKEN), slot(State.LOST), slot(State.BROKEN, 1), slot(State.UP, 2)])
    assert slots.bad_cores == (1,)
    assert slots.cores_in_use == {0, 2}
    assert Slots([slot(State.BROKEN, runtime="onnx")]).bad_cores == ()


@pytest.mark.parametrize(
    ("state", "starting", "all_failed"),
    [
        (State.STARTING, True, False),
        (State.WAITING, True, False),
        (State.RESTARTING, False, False),
        (State.LOST, False, False),
        (State.BROKEN, False, True),
        (State.GONE, False, True),
    ],
)
def test_a_farm_starts_until_each_first_start_is_decided(
    state: State, starting: bool, all_failed: bool
) -> None:
    slots = Slots([slot(State.BROKEN), slot(state)])
    assert (slots.starting, slots.all_failed) == (starting, all_failed)


def test_each_reason_is_given_once() -> None:
    reasons = ("no model", "no model", "no memory")
    slots = Slots([slot(State.BROKEN, reason=reason) for reason in reasons])
    assert slots.reasons() == ["no model", "no memory"]


def test_a_worker_that_is_ready_is_compared_with_the_first_that_was() -> None:
    first = Ready(
        worker=1,
        generation=1,
        model="c0ffee",
        input=InputSpec(width=8, height=8, layout=NHWC, dtype=UINT8),
        classes=5,
        reading="SOFTMAX",
        self_test_ms=1.0,
    )
    slots = Slots([slot(State.STARTING), slot(State.STARTING)])
    assert slots.objection(first) is None
    slots[1].ready = first
    assert slots.objection(replace(first, worker=0)) is None
    assert slots.objection(replace(first, worker=0, model="decaf")) is not None
