"""For all samples in any order: means are shares, drops are real."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.hardware.sensor_sampler import LOAD_REACHES_BACK_SECONDS, Conditions, Sampler
from farm.hardware.sensors import Clock, Sample

SHARES = st.floats(min_value=0.0, max_value=1.0)
LOADS = st.integers(1, 3).flatmap(
    lambda cores: st.lists(st.tuples(*[SHARES] * cores), min_size=1, max_size=20)
)
CLOCKS = st.lists(st.integers(1, 3000), min_size=2, max_size=20)
DEGREES = st.lists(
    st.dictionaries(st.sampled_from(["soc", "npu", "gpu"]), st.floats(-40.0, 125.0)), max_size=20
)


def conditions(samples: list[Sample]) -> Conditions:
    sampler = Sampler(begun=0.0)
    for at, sample in enumerate(samples):
        sampler.add(sample, now=LOAD_REACHES_BACK_SECONDS + at)
    return sampler.conditions()


def loaded(loads: list[tuple[float, ...]]) -> tuple[float, ...]:
    return conditions([Sample(load=load, temperatures={}, clocks=()) for load in loads]).load


@given(LOADS, st.randoms(use_true_random=False))
def test_the_mean_load_is_a_share_in_any_order(
    loads: list[tuple[float, ...]], random: Random
) -> None:
    mixed = list(loads)
    random.shuffle(mixed)
    mean = loaded(loads)
    assert loaded(mixed) == pytest.approx(mean)
    assert len(mean) == len(loads[0])
    for core, share in enumerate(mean):
        values = [load[core] for load in loads]
        assert 0.0 <= share <= 1.0
        assert min(values) - 1e-9 <= share <= max(values) + 1e-9


@given(CLOCKS)
def test_a_clock_dropped_if_a_later_sample_is_lower_and_by_the_most(mhz: list[int]) -> None:
    samples = [Sample(load=(), temperatures={}, clocks=(Clock("A", m, None, None),)) for m in mhz]
    falls = [
        before - after for at, before in enumerate(mhz) for after in mhz[at + 1 :] if after < before
    ]
    drops = conditions(samples).drops
    assert drops is not None
    assert [drop.depth for drop in drops] == ([max(falls)] if falls else [])


@given(DEGREES)
def test_the_hottest_is_the_highest_of_all(degrees: list[dict[str, float]]) -> None:
    samples = [Sample(load=(), temperatures=zones, clocks=()) for zones in degrees]
    hottest = conditions(samples).hottest
    every = [value for zones in degrees for value in zones.values()]
    assert (hottest[1] if hottest else None) == max(every, default=None)
