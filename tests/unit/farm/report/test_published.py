"""The published figures stand as they were published."""

from __future__ import annotations

import pytest

from farm.hardware.platforms import SOCS
from farm.report.published import FIGURES, published


@pytest.mark.parametrize(
    ("platform", "runtimes", "average_ms", "saturation"),
    [("rk3588", 15, 1.09, 0.80), ("rk3576", 12, 1.71, 0.64), ("rk3566", 6, 6.73, 0.76)],
)
def test_the_largest_size_comes_with_its_load(
    platform: str, runtimes: int, average_ms: float, saturation: float
) -> None:
    largest = published(platform)[-1]
    assert (largest.runtimes, largest.average_ms, largest.saturation) == (
        runtimes,
        average_ms,
        saturation,
    )


def test_figures_are_of_our_platforms_and_more_runtimes_are_never_slower() -> None:
    assert set(FIGURES) < set(SOCS)
    assert published("rk3562") == ()
    for rows in FIGURES.values():
        assert [row.runtimes for row in rows] == sorted({row.runtimes for row in rows})
        averages = [row.average_ms for row in rows]
        assert averages == sorted(averages, reverse=True)
