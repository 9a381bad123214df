"""Figures in words: as many digits as mean something, and ranges only where there is one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from farm.report.data import Spread

SEVERAL: Final = 8  # more shares than that are summed up


def digits(value: float) -> str:
    """A figure with three digits or so: 0.93, 22.9, 1104."""
    return f"{value:.{0 if value >= 99.95 else 1 if value >= 9.995 else 2}f}"


def per_second(ms: float) -> float:
    """How many a second that is, of something that takes `ms`; 0 where nothing was measured."""
    return 1000 / ms if ms > 0 else 0.0


def spread(values: Spread) -> str:
    """The range of a figure over the rounds, empty where it always was the same."""
    lowest, highest = digits(values.lowest), digits(values.highest)
    return "" if lowest == highest else f"{lowest} to {highest}"


def percentages(shares: Iterable[float]) -> str:
    """Shares of 1 as per cent, one by one."""
    return " ".join(f"{share:.0%}" for share in shares)


def share(value: float) -> str:
    """A share of 1 as per cent."""
    return percentages([value])


def shares(values: Sequence[float]) -> str:
    """Shares of 1 as per cent, one by one, or of many the mean and the range."""
    if len(values) <= SEVERAL:
        return percentages(values)
    mean = share(sum(values) / len(values))
    return f"{mean} ({share(min(values))} to {share(max(values))})"


def between(values: Iterable[float]) -> str:
    """The range of some figures, without decimals, or the one figure they all are."""
    known = sorted(values) or [0.0]
    low, high = f"{known[0]:.0f}", f"{known[-1]:.0f}"
    return low if low == high else f"{low} to {high}"


def counted(count: int, noun: str) -> str:
    """A number of things: 1 runtime, 3 runtimes."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


SIMULATED: Final = "simulated NPU: real images, make-believe answers and times"
