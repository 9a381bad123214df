"""Charts of plain figures: curves with a limit, bars, a histogram. Data in, SVG out."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from farm.report.format import digits
from farm.report.html.axes import (
    LABEL_ROOM,
    Plot,
    Scale,
    from_zero,
    named_x_axis,
    x_axis,
    y_axis,
)
from farm.report.html.svg import Svg, drawing, element, marker, percent, text, with_title
from farm.results.latency import BUCKET_RATIO

CURVE_HEIGHT: Final = 210.0
BARS_HEIGHT: Final = 170.0
ROW_HEIGHT: Final = 42.0
BAR_HEIGHT: Final = 16.0
HEADROOM: Final = 1.08  # above the highest line, for what is written on it
PER_CENT: Final = Scale(low=0, high=100 * HEADROOM)
WIDEST_COLUMN: Final = 0.12  # of the width
NAME_ROOM: Final = 0.45  # of the columns' width, beside them: no name stands on a bar
VALUED_COLUMNS: Final = 8  # more have no room for their values
MARK_ROOM: Final = 18.0  # pixels for each percentile's name
MOST_BARS: Final = 56
LEAST_RATIO: Final = 1.5  # between a histogram's ends, however alike the images are
OUTERMOST: Final = 0.005  # of the images on either side are drawn with their neighbours
MARK_NAME_ROOM: Final = 0.28  # of the width, right of the last mark: 80 pixels on a phone


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """A chart's title, and its axes with their units."""

    title: str
    x: str
    y: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A value at a number of runtimes, its range over the rounds, and its tooltip."""

    x: float
    y: float
    lowest: float
    highest: float
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Points in rising order of `x` that belong together; `kind` is their class in the style."""

    kind: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A value to compare with, and its name; `kind` is its class in the style."""

    value: float
    name: str
    kind: str = "limit"

    def draw(self, plot: Plot) -> list[Svg]:
        """Return a line across `plot` with the name above it."""
        name = text(self.name, "100%", plot.down(self.value) - 6, class_="end halo")
        return [plot.level(self.value, self.kind), name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A piece of a bar; `kind` is its class in the style."""

    kind: str
    value: float
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A bar of parts, and what is written over it."""

    name: str
    parts: tuple[Part, ...]

    @property
    def length(self) -> float:
        """All parts together."""
        return sum(part.value for part in self.parts)


def curve(
    labels: Labels, series: Sequence[Series], limit: Limit | None, *, y: Scale | None = None
) -> Svg:
    """Return series over the number of runtimes, from 0 on both axes, below their limit."""
    points = [point for each in series for point in each.points]
    ys = [point.highest for point in points] + ([limit.value] if limit else [])
    last = max((point.x for point in points), default=1.0)
    plot = Plot(x=Scale(low=0, high=last), y=y or from_zero(ys, room=HEADROOM), height=CURVE_HEIGHT)
    drawn = y_axis(plot, labels.y, unit=labels.unit)
    drawn += x_axis(plot, labels.x, sorted({point.x for point in points}))
    drawn += limit.draw(plot) if limit else []
    drawn += [element("g", *_line(plot, each), class_=each.kind) for each in series]
    says = [f"{each.kind}, {point.title}" for each in series for point in each.points]
    return drawing(labels.title, says, plot.bottom + LABEL_ROOM, drawn)


def _line(plot: Plot, series: Series) -> list[Svg]:
    at = [(plot.across(point.x), plot.down(point.y)) for point in series.points]
    drawn = [
        element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_="trace")
        for (x1, y1), (x2, y2) in pairwise(at)
    ]
    for point, (x, y) in zip(series.points, at, strict=True):
        if point.highest > point.lowest:
            top, bottom = plot.down(point.highest), plot.down(point.lowest)
            drawn.append(element("line", x1=x, x2=x, y1=top, y2=bottom, class_="spread"))
        drawn.append(with_title(marker(series.kind, x, y), point.title))
    return drawn


def columns(labels: Labels, values: Sequence[tuple[str, float]], limit: Limit | None) -> Svg:
    """Return upright bars of named values in per cent."""
    count = len(values)
    room = NAME_ROOM * count if limit else 0.0
    plot = Plot(x=Scale(low=-0.5, high=count - 0.5 + room), y=PER_CENT, height=BARS_HEIGHT)
    drawn = y_axis(plot, labels.y, unit=labels.unit)
    width = min(0.7 * plot.x.share(0.5), WIDEST_COLUMN)  # of the place of the first, and so of each
    for at, (_, value) in enumerate(values):
        centre, y = plot.x.share(at), plot.down(value)
        bar = element(
            "rect",
            x=percent(centre - width / 2),
            y=y,
            width=percent(width),
            height=plot.bottom - y,
            class_="infer",
        )
        drawn.append(with_title(bar, f"{value:.0f} %"))
        if count <= VALUED_COLUMNS:
            said = text(f"{value:.0f} %", percent(centre), y - 5, class_="middle strong halo")
            drawn.append(said)
    drawn += named_x_axis(plot, labels.x, [(name, at) for at, (name, _) in enumerate(values)])
    drawn += limit.draw(plot) if limit else []
    says = [f"{name}: {value:.0f} %" for name, value in values]
    return drawing(labels.title, says, plot.bottom + LABEL_ROOM, drawn)


def rows(labels: Labels, bars: Sequence[Row]) -> Svg:
    """Return bars lying one below the other, each with its name over it."""
    scale = from_zero([bar.length for bar in bars])
    plot = Plot(x=scale, y=Scale(low=0, high=1), height=ROW_HEIGHT * len(bars), top=4)
    drawn = [plot.upright(tick, "grid") for tick in scale.ticks(6)]
    drawn += x_axis(plot, labels.x, scale.ticks(6))
    for at, bar in enumerate(bars):
        top, begin = plot.top + at * ROW_HEIGHT, 0.0
        drawn.append(text(bar.name, "0%", top + 15, class_="halo strong"))
        for part in bar.parts:
            end = begin + part.value
            piece = plot.bar(begin, end, top=top + 21, height=BAR_HEIGHT, class_=part.kind)
            drawn.append(with_title(piece, part.title))
            begin = end
    says = [f"{bar.name} ({', '.join(part.title for part in bar.parts)})" for bar in bars]
    return drawing(labels.title, says, plot.bottom + LABEL_ROOM, drawn)


def histogram(
    labels: Labels, distribution: Sequence[tuple[float, int]], marks: Mapping[str, float]
) -> Svg:
    """Return images by the milliseconds they took, with a line at each of the named `marks`.

    The axis is logarithmic. `distribution` are (ms, images) pairs in rising order.
    """
    bars = merged_buckets(distribution)
    plot = Plot(
        x=_around([edge for begin, end, _ in bars for edge in (begin, end)], [*marks.values()]),
        y=from_zero([float(images) for _, _, images in bars]),
        height=BARS_HEIGHT,
        top=30 + MARK_ROOM * len(marks),
    )
    drawn = y_axis(plot, labels.y)
    for begin, end, images in bars:
        y = plot.down(images)
        bar = plot.bar(begin, end, top=y, height=plot.bottom - y, class_="bar")
        drawn.append(with_title(bar, f"{digits(begin)} to {digits(end)} ms: {images} images"))
    drawn += x_axis(plot, labels.x)
    for at, (name, ms) in enumerate(marks.items()):
        x, y = plot.across(ms), 34 + MARK_ROOM * at
        drawn.append(element("line", x1=x, x2=x, y1=y - 9, y2=plot.bottom, class_="mark"))
        drawn.append(text(f"{name} {digits(ms)} ms", x, y, dx=5, class_="halo"))
    says = [f"{name} {digits(ms)} ms" for name, ms in marks.items()]
    return drawing(labels.title, says, plot.bottom + LABEL_ROOM, drawn)


def merged_buckets(distribution: Sequence[tuple[float, int]]) -> list[tuple[float, float, int]]:
    """Return few bars (from ms, to ms, images), each of equally many of the counted buckets.

    The fastest and the slowest few images are counted with their neighbours.
    """
    if not distribution:
        return []
    aside = OUTERMOST * sum(images for _, images in distribution)
    ends = []
    for order in (distribution, distribution[::-1]):
        seen = 0
        ends.append(next(ms for ms, images in order if (seen := seen + images) > aside))
    buckets: Counter[int] = Counter()
    for ms, images in distribution:
        buckets[round(math.log(min(max(ms, ends[0]), ends[1]), BUCKET_RATIO))] += images
    width = math.ceil((max(buckets) - min(buckets) + 1) / MOST_BARS)
    bars: Counter[int] = Counter()
    for bucket, images in buckets.items():
        bars[bucket // width] += images
    edges = {at: float(BUCKET_RATIO ** (at * width - 0.5)) for bar in bars for at in (bar, bar + 1)}
    return [(edges[bar], edges[bar + 1], bars[bar]) for bar in sorted(bars)]


def _around(edges: Sequence[float], marks: Sequence[float]) -> Scale:
    """Return the axis that holds all values, and room for names beside the last mark."""
    known = [value for value in (*edges, *marks) if value > 0] or [1.0]
    low, high = min(known), max(known)
    widening = max(1.0, LEAST_RATIO / (high / low)) ** 0.5
    low, high = low / widening, high * widening
    last_mark = max(*marks, low) if marks else low
    room = low * (last_mark / low) ** (1 / (1 - MARK_NAME_ROOM))
    return Scale(low=low, high=max(high, room), logarithmic=True)
