"""Charts of figures by number of runtimes: curves with a limit, bars. Data in, SVG out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from farm.report.html.axes import (
    LABEL_ROOM,
    Plot,
    drawing,
    named_x_axis,
    percent,
    text,
    with_title,
    x_axis,
    y_axis,
)
from farm.report.html.markup import Element, element
from farm.report.html.scales import Scale, from_zero

CURVE_HEIGHT: Final = 210.0
COLUMNS_HEIGHT: Final = 170.0
ROW_HEIGHT: Final = 42.0
BAR_HEIGHT: Final = 16.0
HEADROOM: Final = 1.08  # above the highest line, for what is written on it
PER_CENT: Final = Scale(low=0, high=100 * HEADROOM)
WIDEST_COLUMN: Final = 0.12  # of the width
NAME_ROOM: Final = 0.45  # of the columns' width, beside them: no name stands on a bar
VALUED_COLUMNS: Final = 8  # more have no room for their values


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A value at a number of runtimes, its range over the rounds, and what to say of it."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A chart's title, and its axes with their units."""

    title: str
    x: str
    y: str = ""
    unit: str = ""


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
    words: Words, series: Sequence[Series], limit: Limit | None, *, y: Scale | None = None
) -> Element:
    """Series over the number of runtimes, from 0 on both axes, below their limit."""
    points = [point for each in series for point in each.points]
    ys = [point.highest for point in points] + ([limit.value] if limit else [])
    last = max((point.x for point in points), default=1.0)
    plot = Plot(x=Scale(low=0, high=last), y=y or from_zero(ys, room=HEADROOM), height=CURVE_HEIGHT)
    drawn = y_axis(plot, words.y, unit=words.unit)
    drawn += x_axis(plot, words.x, sorted({point.x for point in points}))
    drawn += limit_line(plot, limit) if limit else []
    for each in series:
        drawn += _line(plot, each)
    says = [f"{each.kind}, {point.title}" for each in series for point in each.points]
    return drawing(words.title, says, plot.bottom + LABEL_ROOM, drawn)


def limit_line(plot: Plot, limit: Limit) -> list[Element]:
    """A line across at the limit, its name above it."""
    y = plot.down(limit.value)
    return [
        element("line", x1="0%", x2="100%", y1=y, y2=y, class_=limit.kind),
        text(limit.name, "100%", y - 6, class_="end halo"),
    ]


def columns(words: Words, values: Sequence[tuple[str, float]], limit: Limit | None) -> Element:
    """Upright bars of named values in per cent."""
    room = NAME_ROOM * len(values) if limit else 0.0
    last = len(values) - 0.5
    plot = Plot(x=Scale(low=-0.5, high=last + room), y=PER_CENT, height=COLUMNS_HEIGHT)
    drawn = y_axis(plot, words.y, unit=words.unit)
    for at, (_, value) in enumerate(values):
        drawn += _column(plot, at, value, len(values))
    drawn += named_x_axis(plot, words.x, [(name, at) for at, (name, _) in enumerate(values)])
    drawn += limit_line(plot, limit) if limit else []
    says = [f"{name}: {value:.0f}%" for name, value in values]
    return drawing(words.title, says, plot.bottom + LABEL_ROOM, drawn)


def rows(words: Words, bars: Sequence[Row]) -> Element:
    """Bars lying one below the other, each with its name over it."""
    height = ROW_HEIGHT * len(bars)
    scale = from_zero([bar.length for bar in bars])
    plot = Plot(x=scale, y=Scale(low=0, high=1), height=height, top=4)
    drawn = []
    for tick in scale.ticks(6):
        x = plot.across(tick)
        drawn.append(element("line", x1=x, x2=x, y1=plot.top, y2=plot.bottom, class_="grid"))
    drawn += x_axis(plot, words.x, scale.ticks(6))
    for at, bar in enumerate(bars):
        drawn += _row(plot, plot.top + at * ROW_HEIGHT, bar)
    says = [f"{bar.name} ({', '.join(part.title for part in bar.parts)})" for bar in bars]
    return drawing(words.title, says, plot.bottom + LABEL_ROOM, drawn)


def _line(plot: Plot, series: Series) -> list[Element]:
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
    return [element("g", *drawn, class_=series.kind)]


def marker(kind: str, x: str, y: float) -> Element:
    """A disc for what was measured, a hollow diamond for what others published."""
    if kind == "measured":
        return element("circle", cx=x, cy=y, r=4.5)
    return element("svg", element("path", d="M0-6L6 0 0 6-6 0Z"), x=x, y=y)


def _column(plot: Plot, at: int, value: float, count: int) -> list[Element]:
    centre, y = plot.x.share(at), plot.down(value)
    place = plot.x.share(0.5)  # of the first column, and so of each
    width = min(0.7 * place, WIDEST_COLUMN)
    bar = element(
        "rect",
        x=percent(centre - width / 2),
        y=y,
        width=percent(width),
        height=plot.bottom - y,
        class_="infer",
    )
    said = f"{value:.0f}%"
    drawn = [with_title(bar, said)]
    if count <= VALUED_COLUMNS:
        drawn.append(text(said, percent(centre), y - 5, class_="middle strong halo"))
    return drawn


def _row(plot: Plot, top: float, bar: Row) -> list[Element]:
    drawn, begin = [text(bar.name, "0%", top + 15, class_="halo strong")], 0.0
    for part in bar.parts:
        share = plot.x.share(begin + part.value) - plot.x.share(begin)
        piece = element(
            "rect",
            x=plot.across(begin),
            y=top + 21,
            width=percent(share),
            height=BAR_HEIGHT,
            class_=part.kind,
        )
        drawn.append(with_title(piece, part.title))
        begin += part.value
    return drawn
