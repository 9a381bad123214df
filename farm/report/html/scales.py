"""Where a value stands on an axis, and which values deserve a label there."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final

STEPS: Final = (1, 2, 5)
NEARLY: Final = 1e-6  # of a step: binary fractions are not quite where they should be
FEW_TICKS: Final = 3  # fewer on a logarithmic axis say too little of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """An axis from `low` to `high`, which is more; a logarithmic one begins above 0."""

    low: float
    high: float
    logarithmic: bool = False

    def share(self, value: float) -> float:
        """How far along the axis `value` is, from 0 to 1; beyond its ends counts as there."""
        low, high, at = self.low, self.high, min(max(value, self.low), self.high)
        if self.logarithmic:
            low, high, at = math.log(low), math.log(high), math.log(at)
        return min(max((at - low) / (high - low), 0.0), 1.0)

    def ticks(self, at_most: int) -> list[float]:
        """The round values (1, 2 or 5 times a power of ten) on the axis, so many at most."""
        if not self.logarithmic:
            return linear_ticks(self.low, self.high, at_most)
        found = _log_ticks(self.low, self.high, at_most)
        return found if len(found) >= FEW_TICKS else linear_ticks(self.low, self.high, at_most)


def from_zero(values: Sequence[float], *, room: float = 1.0) -> Scale:
    """An axis from 0 to the next round value above the greatest of `values` times `room`."""
    high = max(values, default=0.0) * room or 1.0
    step = next(step for step in _steps(high / 5) if high / step <= 5 + NEARLY)
    return Scale(low=0.0, high=number(step * math.ceil(high / step - NEARLY), step))


def linear_ticks(low: float, high: float, at_most: int) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten from `low` to `high`, `at_most` (2 or more)."""
    every = (_multiples(low, high, step) for step in _steps((high - low) / at_most))
    return next(ticks for ticks in every if len(ticks) <= at_most)


def number(value: float, step: float) -> float:
    """Free a multiple of `step` from what binary fractions add to it."""
    return round(value, max(0, 1 - math.floor(math.log10(step))))


def label(value: float) -> str:
    """A tick's value in words: no needless zeros, no exponent."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


def spaced(shares: Sequence[float], gap: float) -> list[int]:
    """Which of the rising `shares` of an axis to label so that labels stand `gap` apart.

    The last one is always labelled, the others in their order where there is room.
    """
    kept: list[int] = []
    for at, share in enumerate(shares[:-1]):
        free_of_last = shares[-1] - share >= gap
        if free_of_last and (not kept or share - shares[kept[-1]] >= gap):
            kept.append(at)
    return [*kept, len(shares) - 1] if shares else []


def _multiples(low: float, high: float, step: float) -> list[float]:
    around = range(math.floor(low / step), math.ceil(high / step) + 1)
    return [tick for at in around if low <= (tick := number(at * step, step)) <= high]


def _steps(least: float) -> Iterator[float]:
    """The round steps from about `least` on, without end."""
    for power in count(math.floor(math.log10(least))):
        yield from (step * 10.0**power for step in STEPS)


def _log_ticks(low: float, high: float, at_most: int) -> list[float]:
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in (STEPS, (1,)):
        every = [number(step * 10.0**decade, 10.0**decade) for decade in decades for step in steps]
        found = [tick for tick in every if low <= tick <= high]
        if len(found) <= at_most:
            return found
    return found[:: math.ceil(len(found) / at_most)]
