from __future__ import annotations

from math import inf

import pytest

from farm.coordinator.clock import LONGEST_STEP, Clock


def passed(*steps: tuple[float, float]) -> float:
    """The farm's time that passes in steps of so many real seconds, of which so many expected."""
    readings = [100.0]
    for seconds, _ in steps:
        readings.append(readings[-1] + seconds)
    clock = Clock(iter([*readings, readings[-1]]).__next__)
    for _, expected in steps:
        clock.now(expected)
    return clock.now() - 100.0


@pytest.mark.parametrize("expected", [0.0, 0.5, inf])
def test_short_steps_count_in_full(expected: float) -> None:
    assert passed(*[(0.25, expected)] * 4) == 1.0


@pytest.mark.parametrize("expected", [0.0, 0.01, LONGEST_STEP])
def test_of_a_time_in_which_nobody_looked_a_second_counts(expected: float) -> None:
    assert passed((0.25, 0.0), (3600.0, expected), (0.5, 0.5)) == 0.75 + LONGEST_STEP


def test_a_long_wait_counts_in_full_if_it_was_meant() -> None:
    assert passed((3600.0, inf), (0.5, 0.0)) == 3600.5
    assert passed((90.0, 100.0)) == 90.0
