"""Several runs at once on one farm: each has its own ids, order and end."""

from __future__ import annotations

import gc
import itertools
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from farm.api import Farm, Run
from farm.errors import FarmError
from farm.results.result import Result
from farm.sources.base import IterableSource
from farm.system.signals import Signals
from tests.helpers.support import children_of, simulated

from_items = IterableSource.from_items
ENDLESS = 10**6


def taken_in_turns(*runs: Run) -> list[list[Result]]:
    """Take a result of each run in turn, until all have ended."""
    taken: list[list[Result]] = [[] for _ in runs]
    going = list(zip(runs, taken, strict=True))
    while going:
        going = [(run, results) for run, results in going if not ended(run, results)]
    return taken


def ended(run: Run, results: list[Result]) -> bool:
    result = next(run, None)
    if result is not None:
        results.append(result)
    return result is None


def test_each_run_gets_the_results_of_its_own_items_under_its_own_ids(renders: list[Path]) -> None:
    with Farm(simulated()) as farm:
        one = farm.run(from_items(renders[:40]), ordered=True)
        two = farm.run(from_items(renders[30:]), first_id=1000)
        three = farm.run(from_items([]))
        first, second, third = taken_in_turns(one, two, three)
    assert [(r.id, r.path) for r in first] == list(enumerate(map(str, renders[:40])))
    by_id = sorted((r.id, r.path) for r in second)
    assert by_id == list(enumerate(map(str, renders[30:]), start=1000))
    assert third == []
    assert (one.submitted, two.submitted) == (40, len(renders) - 30)
    assert one.ended
    assert two.ended


def test_a_short_run_does_not_wait_for_the_end_of_a_long_one(renders: list[Path]) -> None:
    with Farm(simulated()) as farm:
        long = farm.run(from_items(itertools.islice(itertools.cycle(renders), ENDLESS)))
        next(long)
        short = list(farm.run(from_items(renders[:5])))
        assert len(short) == 5
        assert long.submitted < 1000
        assert not long.ended
        assert next(long).error is None


def test_a_run_that_is_closed_takes_nothing_of_another_with_it(renders: list[Path]) -> None:
    with Farm(simulated()) as farm:
        kept, closed = (
            farm.run(from_items(renders)),
            farm.run(from_items(renders)),
        )
        first = [next(kept), next(closed)]
        closed.close()
        assert list(closed) == []
        rest = list(kept)
    ids = sorted(result.id for result in [first[0], *rest])
    assert ids == list(range(len(renders)))


def test_a_run_that_drains_ends_with_what_workers_hold_and_the_other_goes_on(
    renders: list[Path],
) -> None:
    with Farm(simulated()) as farm:
        draining, other = (
            farm.run(from_items(renders * 9)),
            farm.run(from_items(renders)),
        )
        results = [next(draining)]
        draining.drain()
        results += draining
        assert draining.ended
        assert 1 <= len(results) < draining.submitted < 9 * len(renders)
        assert len(list(other)) == len(renders)


def test_a_signal_makes_every_run_drain(renders: list[Path]) -> None:
    with Signals() as signals, Farm(simulated(), signals=signals) as farm:
        runs = [farm.run(from_items(renders * 9)) for _ in range(2)]
        for run in runs:
            next(run)
        os.kill(os.getpid(), signal.SIGTERM)
        rest = taken_in_turns(*runs)
    assert all(run.ended for run in runs)
    assert all(len(results) < 9 * len(renders) - 1 for results in rest)


def test_a_worker_that_is_killed_costs_no_run_an_item(renders: list[Path]) -> None:
    with Farm(simulated()) as farm:
        runs = [farm.run(from_items(renders * 3), ordered=True) for _ in range(3)]
        first = [next(run) for run in runs]
        os.kill(children_of(os.getpid())[0], signal.SIGKILL)
        rest = taken_in_turns(*runs)
        assert farm.losses == 1
    for head, tail in zip(first, rest, strict=True):
        assert [result.id for result in [head, *tail]] == list(range(3 * len(renders)))


def test_polling_returns_by_the_time_it_is_told(renders: list[Path]) -> None:
    with Farm(simulated(simulated={"service_ms": 1000.0})) as farm:
        run = farm.run(from_items(renders))
        assert run.poll(until=0.0) == []
        assert run.submitted > 0
        assert not run.ended


def test_a_run_of_a_farm_that_is_down_says_so(renders: list[Path]) -> None:
    with Farm(simulated()) as farm:
        run = farm.run(from_items(renders))
        next(run)
    with pytest.raises(FarmError):
        list(run)


class App:
    """Holds a run in a circle of references, as programs do."""

    def __init__(self, farm: Farm, images: list[Path]) -> None:
        self.run = farm.run(from_items(images))
        self.callback = self.ended
        next(self.run)

    def ended(self) -> bool:
        return self.run.ended


def test_runs_that_the_garbage_collector_finds_cost_no_other_run_an_item(
    renders: list[Path],
) -> None:
    thresholds = gc.get_threshold()
    gc.set_threshold(50)
    try:
        with Farm(simulated()) as farm:
            for _ in range(5):
                App(farm, renders)
                ids = sorted(result.id for result in farm.run(from_items(renders)))
                assert ids == list(range(len(renders)))
    finally:
        gc.set_threshold(*thresholds)


def test_a_run_that_its_own_source_closes_ends_and_the_other_goes_on(renders: list[Path]) -> None:
    def closing() -> Iterator[Path]:
        yield from renders[:5]
        closed.close()
        yield from renders

    with Farm(simulated()) as farm:
        other = farm.run(from_items(renders))
        first = next(other)
        closed = farm.run(from_items(closing()))
        list(closed)
        assert closed.ended
        assert closed.feed() == ()
        assert len([first, *other]) == len(renders)


def test_next_and_poll_together_give_each_result_once_and_in_order(renders: list[Path]) -> None:
    with Farm(simulated()) as farm:
        run = farm.run(from_items(renders), ordered=True)
        results = [next(run)]
        while not run.ended:
            results += run.poll()
    assert [result.id for result in results] == list(range(len(renders)))


def test_an_error_of_a_source_comes_after_the_results_of_all_before_it(renders: list[Path]) -> None:
    def broken() -> Iterator[Path]:
        yield from renders[:21]
        raise LookupError("theirs")

    ids: list[int] = []
    with Farm(simulated()) as farm, pytest.raises(LookupError, match="theirs"):
        ids.extend(result.id for result in farm.classify(broken(), ordered=True))
    assert ids == list(range(21))
