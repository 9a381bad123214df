"""Axes: where a value stands on them, which values have a label, the area between two of them.

Along x everything stands in per cent of the width, along y in pixels: a chart fills any width, and
its text keeps its size. Beside the area, the page's style leaves room for the labels of the axes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final

from farm.report.html.svg import Svg, element, percent, text

STEPS: Final = (1, 2, 5)
NEARLY: Final = 1e-6  # of a step: binary fractions are not quite where they should be
FEW_TICKS: Final = 3  # fewer on a logarithmic axis say too little of it
TITLE_ROOM: Final = 26.0  # pixels above an area, for the y axis' title
LABEL_ROOM: Final = 44.0  # and below, for the x axis' labels and title
LEFT_ROOM: Final = 44.0  # and on the left; the page's style leaves as much
# Of the width of a narrow phone: what a label takes, and between two of them.
CHARACTER: Final = 0.028
BETWEEN: Final = 0.02
Y_TICKS: Final = 6
X_TICKS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """An axis from `low` to `high`, which is more; a logarithmic one begins above 0."""

    low: float
    high: float
    logarithmic: bool = False

    def share(self, value: float) -> float:
        """Return how far along the axis `value` is, from 0 to 1; its ends where it is beyond."""
        low, high, at = self.low, self.high, min(max(value, self.low), self.high)
        if self.logarithmic:
            low, high, at = math.log(low), math.log(high), math.log(at)
        return min(max((at - low) / (high - low), 0.0), 1.0)

    def ticks(self, at_most: int) -> list[float]:
        """Return the round values (1, 2 or 5 times a power of ten) on the axis, so many at most."""
        found = self._log_ticks(at_most) if self.logarithmic else []
        return found if len(found) >= FEW_TICKS else linear_ticks(self.low, self.high, at_most)

    def _log_ticks(self, at_most: int) -> list[float]:
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        for steps in (STEPS, (1,)):
            every = (
                round_to(step * 10.0**decade, 10.0**decade)
                for decade in range(first, last + 1)
                for step in steps
            )
            found = [tick for tick in every if self.low <= tick <= self.high]
            if len(found) <= at_most:
                return found
        return found[:: math.ceil(len(found) / at_most)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """An area between two axes, `height` pixels high below `top`."""

    x: Scale
    y: Scale
    height: float
    top: float = TITLE_ROOM

    @property
    def bottom(self) -> float:
        """Pixels from the drawing's top to the area's end."""
        return self.top + self.height

    def across(self, value: float) -> str:
        """Return where `value` is along x, in per cent of the width."""
        return percent(self.x.share(value))

    def down(self, value: float) -> float:
        """Return where `value` is along y, in pixels from the drawing's top."""
        return self.top + self.height * (1 - self.y.share(value))

    def bar(self, begin: float, end: float, *, top: float, height: float, **style: str) -> Svg:
        """Return a rectangle from `begin` to `end` along x, `height` pixels high below `top`."""
        width = percent(self.x.share(end) - self.x.share(begin))
        return element("rect", x=self.across(begin), y=top, width=width, height=height, **style)

    def upright(self, value: float, kind: str) -> Svg:
        """Return a line from the area's top to its bottom at `value` along x."""
        x = self.across(value)
        return element("line", x1=x, x2=x, y1=self.top, y2=self.bottom, class_=kind)

    def level(self, value: float, kind: str) -> Svg:
        """Return a line across the area at `value` along y."""
        y = self.down(value)
        return element("line", x1="0%", x2="100%", y1=y, y2=y, class_=kind)


def from_zero(values: Sequence[float], *, room: float = 1.0) -> Scale:
    """Return an axis from 0 to the next round value above the greatest of `values` times `room`."""
    high = max(values, default=0.0) * room or 1.0
    step = next(step for step in round_steps(high / 5) if high / step <= 5 + NEARLY)
    return Scale(low=0.0, high=round_to(step * math.ceil(high / step - NEARLY), step))


def linear_ticks(low: float, high: float, at_most: int) -> list[float]:
    """Return the multiples of a round step from `low` to `high`, `at_most` (2 or more)."""
    for step in round_steps((high - low) / at_most):
        around = range(math.floor(low / step), math.ceil(high / step) + 1)
        ticks = [tick for at in around if low <= (tick := round_to(at * step, step)) <= high]
        if len(ticks) <= at_most:
            return ticks
    raise AssertionError("steps rise without end")


def round_steps(least: float) -> Iterator[float]:
    """Yield 1, 2 and 5 times powers of ten, from about `least` on, without end."""
    for power in count(math.floor(math.log10(least))):
        yield from (step * 10.0**power for step in STEPS)


def round_to(value: float, step: float) -> float:
    """Return a multiple of `step` without what binary fractions add to it."""
    return round(value, max(0, 1 - math.floor(math.log10(step))))


def label(value: float) -> str:
    """Return a tick's value as text: no needless zeros, no exponent."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


def spaced(shares: Sequence[float], gap: float) -> list[int]:
    """Return which of the rising `shares` of an axis to label so that labels stand `gap` apart.

    The last one is always labelled, the others in their order where there is room.
    """
    kept: list[int] = []
    for at, share in enumerate(shares[:-1]):
        free_of_last = shares[-1] - share >= gap
        if free_of_last and (not kept or share - shares[kept[-1]] >= gap):
            kept.append(at)
    return [*kept, len(shares) - 1] if shares else []


def y_axis(plot: Plot, title: str, *, unit: str = "") -> list[Svg]:
    """Return the lines across the area, their labels, and the axis' title above."""
    drawn = [text(title, "0%", plot.top - 12, class_="axis", dx=-LEFT_ROOM)]
    for tick in plot.y.ticks(Y_TICKS):
        drawn.append(plot.level(tick, "grid"))
        drawn.append(
            text(f"{label(tick)} {unit}".rstrip(), "0%", plot.down(tick), dy=4, dx=-7, class_="end")
        )
    return drawn


def x_axis(plot: Plot, title: str, at: Sequence[float] | None = None) -> list[Svg]:
    """Return the labels below the area, of round values or of those given, and the axis' title."""
    values = plot.x.ticks(X_TICKS) if at is None else sorted(at)
    return named_x_axis(plot, title, [(label(value), value) for value in values])


def named_x_axis(plot: Plot, title: str, named: Sequence[tuple[str, float]]) -> list[Svg]:
    """Return the labels of rising values, as many as have room, and the axis' title."""
    y = plot.bottom
    drawn = [element("line", x1="0%", x2="100%", y1=y, y2=y, class_="tick")]
    gap = BETWEEN + CHARACTER * max((len(name) for name, _ in named), default=0)
    for index in spaced([plot.x.share(value) for _, value in named], gap):
        name, x = named[index][0], plot.across(named[index][1])
        drawn.append(element("line", x1=x, x2=x, y1=y, y2=y + 4, class_="tick"))
        drawn.append(text(name, x, y + 17, class_="middle"))
    return [*drawn, text(title, "100%", y + 36, class_="axis end")]
