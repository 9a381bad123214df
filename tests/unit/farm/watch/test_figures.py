from __future__ import annotations

import pytest

from farm.watch import figures


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.934, "0.93"), (22.93, "22.9"), (99.96, "100"), (1104.2, "1104")],
)
def test_a_figure_has_about_three_digits(value: float, text: str) -> None:
    assert figures.digits(value) == text


def test_a_rate_that_is_not_known_is_no_number() -> None:
    assert (figures.rate(None), figures.rate(0.0), figures.rate(812.5)) == ("-", "0/s", "812/s")


def test_the_most_frequent_kind_comes_first() -> None:
    assert figures.by_kind({"empty": 2, "corrupt": 1200, "changed": 2}) == (
        "1,200 corrupt, 2 changed, 2 empty"
    )


@pytest.mark.parametrize(
    ("seconds", "text"), [(-1, "0 s"), (59, "59 s"), (119, "2 min"), (7200, "2 h"), (172800, "2 d")]
)
def test_a_time_ago_is_in_its_largest_unit(seconds: float, text: str) -> None:
    assert figures.ago(seconds) == text


def test_others() -> None:
    assert figures.share(0.846) == "85 %"
    assert figures.gigabytes(15_900) == "15.5"
    assert figures.count(12345) == "12,345"
    assert figures.duration(3753.4) == "1:02:33"
    assert figures.duration(-2) == "0:00:00"  # of a clock that was set back
