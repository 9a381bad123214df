"""Tunes of any figures: they end, stay within what the platform allows, and find the knee."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from farm.bench.tune_search import (
    Choice,
    SearchSpace,
    Trial,
    doubling,
    search,
)
from farm.config.schema import FarmConfig
from farm.report.data import Measured
from farm.report.size_choice import TOLERANCE, enough, multiples
from tests.helpers.figures import a_round, measured

Figures = Callable[[Choice], Measured]

KINDS = ("same", "slow", "all")
milliseconds = st.floats(0.01, 100.0)
spaces = st.builds(
    SearchSpace,
    sizes=st.integers(1, 64).map(multiples) | st.integers(1, 300).map(doubling),
    cpus=st.integers(1, 16),
    decoder_cpus=st.sampled_from([KINDS[:1], KINDS]),
)


def taking(*averages: float) -> Measured:
    """Rounds of 1000 images that took so many ms each."""
    return measured(rounds=tuple(a_round(seconds=ms) for ms in averages))


def tuned(space: SearchSpace, figures: Figures) -> list[Trial]:
    trials: list[Trial] = []
    most = len(space.sizes) + 2 + len(space.decoder_cpus)
    while (choice := (at := search(space, trials)).next_choice) is not None:
        assert 0 < at.left <= most - len(trials)
        trials.append(Trial(choice=choice, measured=figures(choice)))
        assert search(space, trials).left < at.left
    assert search(space, trials).left == 0
    return trials


def chosen(space: SearchSpace, trials: list[Trial]) -> Trial:
    return enough(search(space, trials).stages[-1].trials)


@given(spaces, st.data())
def test_any_tune_ends_tries_nothing_twice_and_chooses_what_it_tried(
    space: SearchSpace, data: st.DataObject
) -> None:
    rounds = st.lists(milliseconds, min_size=1, max_size=3)
    trials = tuned(space, lambda _: taking(*data.draw(rounds)))
    choices = [trial.choice for trial in trials]
    assert len(set(choices)) == len(choices)
    assert {choice.size for choice in choices} <= set(space.sizes)
    assert {choice.decoder_cpu for choice in choices} == set(space.decoder_cpus)
    assert chosen(space, trials) in trials


@given(spaces, st.data())
def test_without_noise_nothing_tried_is_clearly_faster_than_what_is_chosen(
    space: SearchSpace, data: st.DataObject
) -> None:
    trials = tuned(space, lambda _: taking(data.draw(milliseconds)))
    passed = search(space, trials).stages
    best = chosen(space, trials).measured.average_ms.median
    assert all(best * (1 - TOLERANCE) <= t.measured.average_ms.median for t in passed[-1].trials)
    # A key is left at its first value only for gain: from stage to stage it gets no slower.
    steps = [enough(stage.trials).measured.average_ms.median for stage in passed]
    assert all(later <= earlier for earlier, later in pairwise(steps))


@given(st.integers(1, 8), milliseconds, milliseconds)
def test_of_a_curve_that_saturates_the_knee_is_chosen(
    cores: int, work: float, limit: float
) -> None:
    space = SearchSpace(sizes=multiples(cores), cpus=4, decoder_cpus=("same",))

    def curve(size: int) -> float:
        return max(limit, work / size)

    got = chosen(space, tuned(space, lambda choice: taking(curve(choice.size)))).choice
    best = curve(space.sizes[-1])
    knee = next(size for size in space.sizes if best >= curve(size) * (1 - TOLERANCE))
    assert got == Choice(size=knee)


@given(st.sampled_from(["rk3588", "rk3576", "rk3566"]), st.sets(st.integers(0, 2), min_size=1))
def test_every_size_of_the_ladder_is_one_that_the_config_takes(
    platform: str, cores: set[int]
) -> None:
    has = {"rk3588": 3, "rk3576": 2, "rk3566": 1}[platform]
    named = [core for core in sorted(cores) if core < has] or [0]
    for size in multiples(len(named)):
        FarmConfig.model_validate({"platform": platform, "npu_cores": named, "size": size})
