"""The sum of a run's samples: mean load, highest temperature, clock drops."""

from __future__ import annotations

import pytest

from farm.errors import SensorError
from farm.hardware.sensor_sampler import (
    INTERVAL_SECONDS,
    LOAD_REACHES_BACK_SECONDS,
    Conditions,
    Drop,
    Sampler,
)
from farm.hardware.sensors import Clock, Sample

LATER = LOAD_REACHES_BACK_SECONDS


def sample(
    *mhz: int,
    load: tuple[float, ...] | SensorError = (),
    temperatures: dict[str, float] | None = None,
    governor: str | None = "ondemand",
) -> Sample:
    """A sample with a clock A, B ... for each of `mhz`."""
    clocks = tuple(
        Clock(name, value, None, governor) for name, value in zip("ABC", mhz, strict=False)
    )
    return Sample(load=load, temperatures=temperatures or {}, clocks=clocks)


def after(*samples: Sample, begun: float = 100.0, first: float = LATER) -> Conditions:
    sampler = Sampler(begun=begun)
    for at, sample in enumerate(samples):
        sampler.add(sample, now=begun + first + at)
    return sampler.conditions()


def drops(*mhz: int) -> list[tuple[int, int]]:
    found = after(*(sample(value) for value in mhz)).drops
    assert found is not None
    return [(drop.before, drop.after) for drop in found]


def test_a_sample_is_due_at_once_and_then_twice_a_second() -> None:
    sampler = Sampler(begun=100.0)
    assert sampler.due(100.0)
    sampler.add(sample(), now=107.0)
    assert not sampler.due(107.0 + INTERVAL_SECONDS - 0.01)
    assert sampler.due(107.0 + INTERVAL_SECONDS)


def test_the_load_is_the_mean_of_each_core() -> None:
    found = after(sample(load=(0.5, 0.0, 1.0)), sample(load=(1.0, 0.0, 0.5)))
    assert found.load == (0.75, 0.0, 0.75)
    assert (found.load_samples, found.no_load) == (2, None)


def test_load_from_before_the_run_does_not_count() -> None:
    sampler = Sampler(begun=100.0)
    for seconds, share in ((0.0, 0.1), (1.99, 0.1), (2.0, 0.7), (2.5, 0.9)):
        sampler.add(sample(load=(share,)), now=100.0 + seconds)
    assert sampler.conditions().load == pytest.approx((0.8,))


def test_a_run_too_short_for_the_load_has_none() -> None:
    found = after(sample(load=(0.5,)), first=0.5)
    assert found.load == ()
    assert "-r" in str(found.no_load)


def test_the_reason_of_a_load_that_cannot_be_read_is_kept() -> None:
    found = after(sample(load=SensorError("not for you")), sample(load=SensorError("not for you")))
    assert (found.load, found.no_load) == ((), "not for you")


def test_a_load_that_can_be_read_sometimes_counts() -> None:
    found = after(sample(load=(0.5,)), sample(load=SensorError("junk")), sample(load=(0.7,)))
    assert found.load == pytest.approx((0.6,))
    assert (found.load_samples, found.no_load) == (2, None)


def test_a_core_that_was_read_once_has_that_share() -> None:
    assert after(sample(load=(0.2, 0.4)), sample(load=(0.4,))).load == pytest.approx((0.3, 0.4))


def test_the_highest_temperature_is_of_all_zones_and_the_whole_run() -> None:
    found = after(
        sample(temperatures={"soc": 50.0, "npu": 61.5}),
        sample(temperatures={"soc": 70.25, "npu": 60.0}),
        sample(temperatures={"npu": 65.0}),
        first=0.0,
    )
    assert found.hottest == ("soc", 70.25)


def test_temperatures_below_zero_have_a_highest_one() -> None:
    assert after(sample(temperatures={"a": -5.0, "b": -7.0})).hottest == ("a", -5.0)


def test_without_sensors_nothing_is_known() -> None:
    found = after(sample(), sample())
    assert (found.hottest, found.drops) == (None, None)


def test_a_clock_that_was_read_once_has_no_known_drops() -> None:
    assert after(sample(1800)).drops is None


@pytest.mark.parametrize(
    ("mhz", "found"),
    [
        ((1800, 1800), []),
        ((600, 1200, 1800), []),
        ((1800, 1200), [(1800, 1200)]),
        ((1800, 1200, 1800), [(1800, 1200)]),
        ((600, 1800, 1600, 1800), [(1800, 1600)]),
        ((1800, 1600, 1700, 1500, 1800), [(1800, 1500)]),
        ((1000, 900, 2000, 1950), [(1000, 900)]),
        ((1000, 900, 2000, 1500), [(2000, 1500)]),
    ],
)
def test_a_drop_is_the_deepest_from_a_peak(
    mhz: tuple[int, ...], found: list[tuple[int, int]]
) -> None:
    assert drops(*mhz) == found


def test_each_clock_drops_by_itself() -> None:
    found = after(
        sample(1800, 1000, 400), sample(1800, 300, 500), sample(1200, 300, 600), first=0.0
    )
    assert found.drops == (
        Drop(clock="B", before=1000, after=300, governor="ondemand"),
        Drop(clock="A", before=1800, after=1200, governor="ondemand"),
    )
