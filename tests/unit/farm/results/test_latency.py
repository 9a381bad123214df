"""Percentiles and means of durations, in constant memory."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from farm.results.latency import Histogram

RNG = np.random.default_rng(0)
DISTRIBUTIONS: dict[str, npt.NDArray[np.float64]] = {
    "uniform": RNG.uniform(1.0, 100.0, 20_000),
    "lognormal": RNG.lognormal(1.0, 0.8, 20_000),
    "exponential": RNG.exponential(5.0, 20_000) + 0.01,
    "microseconds": RNG.uniform(0.002, 0.05, 20_000),
    "minutes": RNG.normal(90_000.0, 9_000.0, 20_000),
    "two peaks": np.concatenate([RNG.normal(2.2, 0.05, 14_000), RNG.normal(60.0, 3.0, 6_000)]),
    "constant": np.full(1000, 2.4, np.float64),
    "few": np.arange(1.0, 202.0, dtype=np.float64),
}


@pytest.mark.parametrize("percent", [1, 10, 50, 90, 99])
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_a_percentile_is_within_2_per_cent_of_the_exact_one(name: str, percent: float) -> None:
    durations = DISTRIBUTIONS[name]
    histogram = Histogram()
    for ms in durations:
        histogram.add(float(ms))
    exact = float(np.percentile(durations, percent))
    assert histogram.percentile(percent) == pytest.approx(exact, rel=0.02)


def test_a_duration_of_nothing_is_counted_as_a_tiny_one() -> None:
    histogram = Histogram()
    histogram.add(0.0)
    assert histogram.percentile(50) <= 0.0011


def test_without_durations_a_percentile_is_zero() -> None:
    assert Histogram().percentile(99) == 0.0


def test_the_mean_is_exact_and_nothing_has_none() -> None:
    histogram = Histogram()
    assert histogram.mean == 0.0
    for ms in (1.0, 2.5, 9.1):
        histogram.add(ms)
    assert histogram.mean == pytest.approx(4.2)


def test_buckets_hold_all_durations_in_rising_order() -> None:
    histogram = Histogram()
    for ms in (50.0, 1.0, 1.0):
        histogram.add(ms)
    assert [count for _, count in histogram.buckets()] == [2, 1]
    assert [ms for ms, _ in histogram.buckets()] == [
        pytest.approx(1.0, rel=0.01),
        pytest.approx(50.0, rel=0.01),
    ]
