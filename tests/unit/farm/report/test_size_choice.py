"""The one rule for which size is enough: whatever was measured, and by example."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.config.schema import MOST_RUNTIMES
from farm.report.data import Measured
from farm.report.size_choice import TOLERANCE, clearly_faster, enough, fastest, multiples
from tests.helpers.figures import a_round, measured

milliseconds = st.floats(0.01, 100.0)
several = st.lists(st.lists(milliseconds, min_size=1, max_size=3), min_size=1, max_size=6)


def taking(*averages: float, runtimes: int = 3) -> Measured:
    """Rounds of 1000 images that took so many ms each."""
    return measured(runtimes=runtimes, rounds=tuple(a_round(seconds=ms) for ms in averages))


NOTHING = measured(rounds=(a_round(images=0, failed=10),))


@pytest.mark.parametrize(
    ("new", "old", "clear"),
    [
        ((0.96,), (1.0,), True),
        ((0.98,), (1.0,), False),  # by 2 %
        ((0.95, 0.95, 0.95), (1.0, 1.0, 1.0), True),
        ((0.95, 0.95, 0.95), (0.9, 1.0, 1.1), False),  # one round of the old was faster
    ],
)
def test_clearly_faster_is_by_more_than_noise(
    new: tuple[float, ...], old: tuple[float, ...], clear: bool
) -> None:
    assert clearly_faster(taking(*new), taking(*old)) is clear


@pytest.mark.parametrize(
    ("averages", "chosen"),
    [
        ((2.7, 0.92, 0.91, 0.90), 1),
        ((2.7, 0.94, 0.91, 0.90), 2),
        ((1.0, 0.98, 0.96), 1),  # gains that creep add up
        ((2.0, 1.5), 1),
    ],
)
def test_the_smallest_size_near_the_fastest_is_enough(
    averages: tuple[float, ...], chosen: int
) -> None:
    sizes = [taking(ms) for ms in averages]
    assert enough(sizes) is sizes[chosen]


def test_a_size_that_classified_nothing_is_no_choice_unless_none_did() -> None:
    done = taking(1.0)
    assert enough([NOTHING, done]) is fastest([NOTHING, done]) is done
    assert enough([NOTHING]) is NOTHING


@pytest.mark.parametrize(
    ("cores", "sizes"),
    [(3, (3, 6, 9, 12, 15, 18)), (1, (1, 2, 3, 4, 5, 6)), (64, (64, 128, 192, MOST_RUNTIMES))],
)
def test_sizes_are_whole_multiples_of_the_cores(cores: int, sizes: tuple[int, ...]) -> None:
    assert multiples(cores) == sizes


@given(several)
def test_nothing_is_clearly_faster_than_what_is_enough_and_all_before_it_are_slower(
    figures: list[list[float]],
) -> None:
    sizes = [taking(*each) for each in figures]
    best, chosen = fastest(sizes), enough(sizes)
    assert not clearly_faster(best, chosen)
    assert all(clearly_faster(best, each) for each in sizes[: sizes.index(chosen)])


@given(st.lists(milliseconds, min_size=1, max_size=3), st.lists(milliseconds, min_size=1))
def test_clearly_faster_is_one_way_and_beyond_the_spread(
    new: list[float], old: list[float]
) -> None:
    if clearly_faster(taking(*new), taking(*old)):
        assert not clearly_faster(taking(*old), taking(*new))
        assert taking(*new).average_ms.median < min(old)
        assert taking(*new).average_ms.median < taking(*old).average_ms.median * (1 - TOLERANCE)
