"""The life of one worker's slot: states, one transition table, and when to try again."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Final

from workers.errors import FarmError


class State(Enum):
    """Where a slot is in its life."""

    STARTING = "starting"  # the first process is opening its runtime
    WAITING = "waiting"  # the system refused the first process; it is asked again after a back-off
    RESTARTING = "restarting"  # a later one is
    UP = "up"
    RETIRING = "retiring"  # grown too big, and asked to leave; a new one comes at once
    FAILING = "failing"  # has said why it can't go on, and is about to leave
    LOST = "lost"  # its process is gone; a new one comes after the back-off
    STOPPING = "stopping"
    BROKEN = "broken"  # given up
    GONE = "gone"


class Event(Enum):
    """What can happen to a slot."""

    READY = "ready"
    FAILED = "failed"
    EXITED = "exited"
    REFUSED = "refused"  # by the system: there is no process
    STUCK = "stuck"  # SIGKILL does not end it
    RETIRE = "retire"
    RESPAWN = "respawn"
    GIVE_UP = "give up"
    STOP = "stop"


_S, _E = State, Event
NEXT: Final[dict[tuple[State, Event], State]] = {
    (_S.STARTING, _E.READY): _S.UP,
    # Never booted: a respawn would only fail the same way, for ever.
    (_S.STARTING, _E.FAILED): _S.BROKEN,
    (_S.STARTING, _E.EXITED): _S.BROKEN,
    (_S.STARTING, _E.REFUSED): _S.WAITING,
    (_S.STARTING, _E.STUCK): _S.BROKEN,
    (_S.STARTING, _E.GIVE_UP): _S.BROKEN,
    (_S.STARTING, _E.STOP): _S.STOPPING,
    (_S.WAITING, _E.RESPAWN): _S.STARTING,
    (_S.WAITING, _E.GIVE_UP): _S.BROKEN,
    (_S.WAITING, _E.STOP): _S.GONE,
    (_S.RESTARTING, _E.READY): _S.UP,
    (_S.RESTARTING, _E.FAILED): _S.FAILING,
    (_S.RESTARTING, _E.EXITED): _S.LOST,
    (_S.RESTARTING, _E.REFUSED): _S.LOST,
    (_S.RESTARTING, _E.STUCK): _S.BROKEN,
    (_S.RESTARTING, _E.GIVE_UP): _S.BROKEN,
    (_S.RESTARTING, _E.STOP): _S.STOPPING,
    (_S.UP, _E.FAILED): _S.FAILING,
    (_S.UP, _E.EXITED): _S.LOST,
    (_S.UP, _E.STUCK): _S.BROKEN,
    (_S.UP, _E.RETIRE): _S.RETIRING,
    (_S.UP, _E.STOP): _S.STOPPING,
    (_S.RETIRING, _E.FAILED): _S.RETIRING,
    (_S.RETIRING, _E.EXITED): _S.LOST,
    (_S.RETIRING, _E.STUCK): _S.BROKEN,
    (_S.RETIRING, _E.STOP): _S.STOPPING,
    (_S.FAILING, _E.EXITED): _S.LOST,
    (_S.FAILING, _E.STUCK): _S.BROKEN,
    (_S.FAILING, _E.STOP): _S.STOPPING,
    (_S.LOST, _E.RESPAWN): _S.RESTARTING,
    (_S.LOST, _E.GIVE_UP): _S.BROKEN,
    (_S.LOST, _E.STOP): _S.GONE,
    # Stop can cross with what the worker was about to say.
    (_S.STOPPING, _E.READY): _S.STOPPING,
    (_S.STOPPING, _E.FAILED): _S.STOPPING,
    (_S.STOPPING, _E.GIVE_UP): _S.STOPPING,
    (_S.STOPPING, _E.EXITED): _S.GONE,
    (_S.STOPPING, _E.STUCK): _S.GONE,
    (_S.BROKEN, _E.EXITED): _S.BROKEN,
    (_S.BROKEN, _E.STUCK): _S.BROKEN,
    (_S.BROKEN, _E.STOP): _S.GONE,
    (_S.GONE, _E.EXITED): _S.GONE,
    (_S.GONE, _E.STUCK): _S.GONE,
}

BOOTING: Final = frozenset({State.STARTING, State.RESTARTING})
OVER: Final = frozenset({State.BROKEN, State.GONE})

FIRST_BACK_OFF: Final = 0.1  # seconds; doubles with each death in the last minute
LONGEST_BACK_OFF: Final = 5.0
DEATHS_ALLOWED: Final = 6  # within DEATHS_WINDOW: more, and the slot is given up
DEATHS_WINDOW: Final = 60.0


class IllegalTransitionError(FarmError):
    """An event came in a state that has no place for it: a bug in the farm."""


def after(state: State, event: Event) -> State:
    """Return the state after `event`; raises IllegalTransitionError for a pair not in the table."""
    try:
        return NEXT[state, event]
    except KeyError:
        raise IllegalTransitionError(f"{event.value} in state {state.value}") from None


def recent(deaths: Sequence[float], *, now: float) -> list[float]:
    """Return the times of death that still count, of a slot's `deaths` (seconds, one clock)."""
    return [at for at in deaths if now - at < DEATHS_WINDOW]


def back_off(deaths: int) -> float | None:
    """Return the seconds to wait after a slot's n-th recent death; None: give the slot up."""
    if deaths > DEATHS_ALLOWED:
        return None
    return min(FIRST_BACK_OFF * 2.0 ** (deaths - 1), LONGEST_BACK_OFF)


def back_off_of_refusals(refusals: int, *, alone: bool) -> float | None:
    """Return the seconds to wait after the n-th start in a row that the system refused.

    None: give the slot up, as after so many deaths. Not while other workers run: they do the work
    meanwhile, and the limit that was reached may be lifted at any time.
    """
    return back_off(refusals if alone else min(refusals, DEATHS_ALLOWED))
