"""Figures in words."""

from __future__ import annotations

import pytest

from farm.report.data import Spread
from farm.report.format import between, counted, digits, per_second, shares, spread


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "0.00"),
        (0.934, "0.93"),
        (9.996, "10.0"),
        (22.94, "22.9"),
        (99.96, "100"),
        (1154, "1154"),
    ],
)
def test_a_figure_has_about_three_digits(value: float, written: str) -> None:
    assert digits(value) == written


def test_a_range_is_only_there_where_it_can_be_seen() -> None:
    assert spread(Spread(median=0.93, lowest=0.92, highest=0.95)) == "0.92 to 0.95"
    assert spread(Spread(median=0.93, lowest=0.931, highest=0.934)) == ""
    assert between([24.2, 26.1, 25.0]) == "24 to 26"
    assert between([24.2, 24.4]) == "24"


def test_many_shares_are_summed_up() -> None:
    assert shares([0.96, 0.0, 1.0]) == "96, 0, 100 %"
    assert shares([0.5, *[0.9] * 8]) == "86 % (50 % to 90 %)"


def test_nothing_measured_is_no_rate() -> None:
    assert per_second(0.0) == 0.0
    assert per_second(2.5) == 400


def test_one_thing_is_not_many() -> None:
    assert [counted(count, "runtime") for count in (1, 3)] == ["1 runtime", "3 runtimes"]
