"""Figures as text: as many digits as mean something, a range only where there is one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:  # a run, too, formats figures, and has none of a benchmark
    from farm.report.data import Spread

SEVERAL: Final = 8  # more shares than that are summed up


def digits(value: float) -> str:
    """Return a figure with about three digits: 0.93, 22.9, 1104."""
    return f"{value:.{0 if value >= 99.95 else 1 if value >= 9.995 else 2}f}"


def per_second(ms: float) -> float:
    """Return how many a second that is, of something that takes `ms`; 0 if nothing was measured."""
    return 1000 / ms if ms > 0 else 0.0


def spread(values: Spread) -> str:
    """Return the range of a figure over the rounds, empty if it was always the same."""
    lowest, highest = digits(values.lowest), digits(values.highest)
    return "" if lowest == highest else f"{lowest} to {highest}"


def percentages(shares: Iterable[float]) -> str:
    """Return shares (0 to 1) as per cent, one by one: 94, 93, 0 %."""
    return f"{', '.join(f'{share * 100:.0f}' for share in shares)} %"


def share(value: float) -> str:
    """Return a share (0 to 1) as per cent."""
    return percentages([value])


def shares(values: Sequence[float]) -> str:
    """Return shares (0 to 1) as per cent, one by one; of more than 8, their mean and range."""
    if len(values) <= SEVERAL:
        return percentages(values)
    mean = share(sum(values) / len(values))
    return f"{mean} ({share(min(values))} to {share(max(values))})"


def between(values: Iterable[float]) -> str:
    """Return the range of some figures without decimals, or the one figure they all are."""
    known = sorted(values) or [0.0]
    low, high = f"{known[0]:.0f}", f"{known[-1]:.0f}"
    return low if low == high else f"{low} to {high}"


def counted(count: int, noun: str) -> str:
    """Return a number of things: 1 runtime, 3 runtimes."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def size_of(count: int) -> str:
    """Return a number of bytes in a unit that suits it: 812 B, 95 kB, 16.9 MB."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1e3:.0f} kB" if count < 1e6 else f"{count / 1e6:.1f} MB"


SIMULATED: Final = "simulated NPU: real images, make-believe answers and times"
