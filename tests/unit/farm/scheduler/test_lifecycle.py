from __future__ import annotations

import pytest

from farm.scheduler.lifecycle import (
    DEATHS_ALLOWED,
    NEXT,
    OVER,
    Event,
    IllegalTransitionError,
    State,
    after,
    back_off,
    recent,
)


def test_a_worker_that_never_booted_is_not_started_again() -> None:
    assert after(State.STARTING, Event.EXITED) is State.BROKEN
    assert (State.BROKEN, Event.RESPAWN) not in NEXT


def test_a_worker_that_has_worked_is_started_again() -> None:
    lost = after(State.UP, Event.EXITED)
    assert after(after(lost, Event.RESPAWN), Event.READY) is State.UP


def test_a_pair_that_is_not_in_the_table_is_an_error() -> None:
    with pytest.raises(IllegalTransitionError, match="ready in state gone"):
        after(State.GONE, Event.READY)


@pytest.mark.parametrize("state", [s for s in State if s is not State.GONE])
def test_every_seat_can_be_stopped(state: State) -> None:
    if state is not State.STOPPING:
        assert after(state, Event.STOP) in (State.STOPPING, State.GONE)


def test_every_state_is_reachable_and_only_the_last_ones_are_ends() -> None:
    reached = {State.STARTING}
    while more := {to for (at, _), to in NEXT.items() if at in reached} - reached:
        reached |= more
    assert reached == set(State)
    ends = {
        state for state in State if all(to is state for (at, _), to in NEXT.items() if at is state)
    }
    assert ends <= OVER


def test_the_back_off_doubles_up_to_its_limit_and_then_gives_up() -> None:
    waits = [back_off(n) for n in range(1, DEATHS_ALLOWED + 2)]
    assert waits == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, None]


def test_only_deaths_of_the_last_minute_count() -> None:
    assert recent([0.0, 30.0, 59.0], now=61.0) == [30.0, 59.0]
