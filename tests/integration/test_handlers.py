"""Signal handlers of the program that raise, at any moment of a run: nothing is lost."""

from __future__ import annotations

import random
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from farm.api import Farm, Run
from farm.errors import FarmError
from tests.helpers.support import ROOT, simulated

# What runs between two signals, at most: lines of the farm's code.
MOST_LINES = 300
FARM = (str(ROOT / "farm"), str(ROOT / "workers"))


class SignalError(Exception):
    """What the handler raises."""


class Storm:
    """Sends this process a signal at lines of the farm's code that a seed chooses."""

    def __init__(self, seed: int) -> None:
        self.signals = 0
        self._random = random.Random(seed)  # noqa: S311 - no secret
        self._left = 1

    def trace(self, frame: FrameType, event: str, _: Any) -> Any:
        if not frame.f_code.co_filename.startswith(FARM):
            return None
        if event == "line":
            self._left -= 1
            if not self._left:
                self._left = self._random.randint(1, MOST_LINES)
                self.signals += 1
                signal.raise_signal(signal.SIGUSR1)
        return self.trace

    def take(self, run: Run) -> Iterator[int]:
        """The ids of all results of a run that is called again each time a handler has raised."""
        while True:
            sys.settrace(self.trace)
            try:
                result = next(run, None)
            except SignalError:
                continue
            finally:
                sys.settrace(None)
            if result is None:
                return
            assert result.error is None
            yield result.id


def test_a_handler_that_closes_the_farm_while_a_run_waits_ends_the_run_in_words(
    renders: list[Path],
) -> None:
    farm = Farm(simulated(simulated={"service_ms": 200.0}))
    before = signal.signal(signal.SIGUSR1, lambda *_: farm.__exit__(None, SignalError(), None))
    try:
        farm.__enter__()
        threading.Timer(0.1, signal.raise_signal, (signal.SIGUSR1,)).start()
        with pytest.raises(FarmError, match="no longer up"):
            list(farm.classify(renders * 9))
    finally:
        signal.signal(signal.SIGUSR1, before)


@pytest.fixture
def storm() -> Iterator[Storm]:
    def handle(_number: int, _frame: FrameType | None) -> None:
        raise SignalError

    before = signal.signal(signal.SIGUSR1, handle)
    yield Storm(seed=7)
    assert signal.signal(signal.SIGUSR1, before) is handle


@pytest.mark.parametrize("given", [list, iter], ids=["a list", "an iterator"])
def test_handlers_that_raise_amid_a_run_cost_no_result_and_no_worker(
    storm: Storm, renders: list[Path], given: Callable[[list[Path]], Iterable[Path]]
) -> None:
    images = renders * 2
    # A batch that was never sent would have its worker killed after that time.
    with Farm(simulated(batch=2, batch_seconds=5.0, simulated={"service_ms": 0.0})) as farm:
        run = farm.classify(given(images))
        ids = Counter(storm.take(run))
        assert (farm.losses, farm.strays) == (0, 0)
    assert ids == Counter(range(len(images)))
    assert storm.signals > 100
