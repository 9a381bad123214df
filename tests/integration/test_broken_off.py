"""Exceptions that come from anywhere, amid a step of the farm: an error in words, never a loss."""

from __future__ import annotations

import ctypes
import inspect
import os
import random
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from farm.api import Farm, Run
from farm.errors import FarmError
from farm.results.result import Result
from farm.scheduler.dispatcher import Dispatcher
from farm.scheduler.events import Action, Answered, Event
from tests.helpers.support import children_of, simulated

HANDLE = Dispatcher.handle
BROKEN = "has come amid a step of this farm"


class TimeUpError(Exception):
    """What another thread raises in this one."""


def no_memory() -> None:
    raise MemoryError


def raised_from_outside() -> None:
    """As time limits for threads do."""
    thread = ctypes.c_ulong(threading.get_ident())
    ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(TimeUpError))


@pytest.mark.parametrize(
    ("strike", "error"), [(no_memory, MemoryError), (raised_from_outside, TimeUpError)]
)
def test_each_use_of_a_farm_whose_step_was_broken_off_is_an_error_until_it_is_opened_again(
    renders: list[Path],
    monkeypatch: pytest.MonkeyPatch,
    strike: Callable[[], None],
    error: type[Exception],
) -> None:
    def handle(dispatcher: Dispatcher, event: Event, *, now: float) -> list[Action]:
        if isinstance(event, Answered):
            monkeypatch.undo()
            strike()
        return HANDLE(dispatcher, event, now=now)

    farm = Farm(simulated())
    with farm:
        others = farm.classify(renders)
        next(others)
        monkeypatch.setattr(Dispatcher, "handle", handle)
        with farm.classify(renders) as run, pytest.raises(error):
            list(run)
        for use in (run.poll, run.drain, lambda: farm.classify(renders), others.feed):
            with pytest.raises(FarmError, match=f"{error.__name__} {BROKEN}"):
                use()
        with pytest.raises(FarmError, match=BROKEN):
            list(others)
    assert children_of(os.getpid()) == []
    with farm:
        assert len(list(farm.classify(renders))) == len(renders)


def test_a_stack_that_is_too_deep_at_any_place_costs_no_result_without_an_error(
    renders: list[Path],
) -> None:
    farm, chance = Farm(simulated(simulated={"service_ms": 0.0})), random.Random(7)  # noqa: S311
    error: FarmError | None = None
    while error is None:
        with farm:
            ids, error = taken(farm.classify(renders), chance)
        assert sorted(ids) == list(range(len(renders))) or BROKEN in str(error)


def taken(run: Run, chance: random.Random) -> tuple[list[int], FarmError | None]:
    """What a run gives to a program that calls it near the end of its stack, again and again."""
    left = sys.getrecursionlimit() - len(inspect.stack(0))

    def deep(calls: int) -> Result | None:
        return deep(calls - 1) if calls else next(run, None)

    ids: list[int] = []
    while True:
        try:
            result = deep(left - chance.randrange(40))
        except RecursionError:
            continue
        except FarmError as error:
            return ids, error
        if result is None:
            return ids, None
        ids.append(result.id)
