"""Axes: every value stands on them, in order; ticks are few, round, and where they say."""

from __future__ import annotations

import math
from itertools import pairwise

from hypothesis import assume, given
from hypothesis import strategies as st

from farm.report.html.axes import Scale, from_zero, label, linear_ticks, spaced

VALUES = st.floats(min_value=1e-3, max_value=1e6)


@st.composite
def scales(draw: st.DrawFn) -> Scale:
    low, high = sorted((draw(VALUES), draw(VALUES)))
    assume(high > low * 1.01)
    logarithmic = draw(st.booleans())
    return Scale(low=low, high=high, logarithmic=logarithmic)


@given(scales(), VALUES, VALUES)
def test_greater_values_stand_further_along_and_none_beyond_the_ends(
    scale: Scale, one: float, other: float
) -> None:
    near, far = scale.share(min(one, other)), scale.share(max(one, other))
    assert 0 <= near <= far <= 1
    assert scale.share(scale.low) == scale.share(0) == 0
    assert scale.share(scale.high) == 1


@given(scales(), st.integers(3, 10))
def test_ticks_are_on_the_axis_in_order_and_few(scale: Scale, at_most: int) -> None:
    ticks = scale.ticks(at_most)
    assert len(ticks) <= at_most
    assert all(scale.low <= tick <= scale.high for tick in ticks)
    assert all(one < other for one, other in pairwise(ticks))


@given(scales(), st.integers(5, 10))
def test_linear_ticks_are_1_2_or_5_apart_and_there_are_at_least_two(
    scale: Scale, at_most: int
) -> None:
    ticks = linear_ticks(scale.low, scale.high, at_most)
    assert len(ticks) >= 2
    for one, other in pairwise(ticks):
        step = other - one
        leading = step / 10 ** math.floor(math.log10(step) + 1e-6)
        assert any(math.isclose(leading, round_one, rel_tol=1e-3) for round_one in (1, 2, 5))


@given(st.lists(VALUES, min_size=1))
def test_an_axis_from_zero_ends_at_a_tick_that_holds_all(values: list[float]) -> None:
    scale = from_zero(values)
    assert scale.low == 0
    assert max(values) <= scale.high * (1 + 1e-6)
    assert scale.high < max(values) * 2
    assert math.isclose(scale.ticks(6)[-1], scale.high, rel_tol=1e-6)


@given(st.lists(st.floats(0, 1), min_size=1, unique=True).map(sorted), st.floats(0.01, 0.5))
def test_labels_stand_apart_and_the_last_one_is_there(shares: list[float], gap: float) -> None:
    kept = [shares[at] for at in spaced(shares, gap)]
    assert kept[-1] == shares[-1]
    assert all(other - one >= gap for one, other in pairwise(kept))


@given(st.integers(-3, 6), st.sampled_from([1, 2, 5]))
def test_a_tick_is_written_without_exponent_or_needless_digits(power: int, leading: int) -> None:
    said = label(linear_ticks(0, leading * 10.0**power, 2)[-1])
    assert set(said) <= set("0123456789.")
    assert math.isclose(float(said), leading * 10.0**power)
    assert not said.endswith(".")


def test_a_logarithmic_axis_of_one_decade_has_1_2_5() -> None:
    assert Scale(low=4, high=220, logarithmic=True).ticks(8) == [5, 10, 20, 50, 100, 200]


def test_a_short_logarithmic_axis_has_ticks_as_a_linear_one() -> None:
    assert Scale(low=21, high=29, logarithmic=True).ticks(8) == [22, 24, 26, 28]


def test_an_axis_of_nothing_has_a_length() -> None:
    assert from_zero([]) == from_zero([0.0]) == Scale(low=0, high=1)
