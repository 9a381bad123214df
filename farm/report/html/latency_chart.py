"""How long images took, as a histogram over a logarithmic axis with percentiles marked."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from farm.report.format import digits
from farm.report.html.axes import (
    LABEL_ROOM,
    Plot,
    drawing,
    percent,
    text,
    with_title,
    x_axis,
    y_axis,
)
from farm.report.html.charts import Words
from farm.report.html.markup import Element, element
from farm.report.html.scales import Scale, from_zero
from farm.results.latency import BUCKET_RATIO, SMALLEST_MS

HEIGHT: Final = 170.0
MARKS_ROOM: Final = 18.0  # pixels for each percentile's name
MOST_BARS: Final = 56
LEAST_RATIO: Final = 1.5  # between the axis' ends, however alike the images are
OUTERMOST: Final = 0.005  # of the images on either side are drawn with their neighbours
NAMES_ROOM: Final = 0.28  # of the width, right of the last mark: 80 pixels on a phone


def histogram(
    words: Words, distribution: Sequence[tuple[float, int]], marks: Mapping[str, float]
) -> Element:
    """Images by the milliseconds they took, with a line at each of the named `marks`."""
    bars = _merged(distribution)
    edges = [edge for begin, end, _ in bars for edge in (begin, end)]
    low, high = _ends([*edges, *marks.values()], last_mark=max(marks.values(), default=0.0))
    plot = Plot(
        x=Scale(low=low, high=high, logarithmic=True),
        y=from_zero([float(count) for _, _, count in bars]),
        height=HEIGHT,
        top=30 + MARKS_ROOM * len(marks),
    )
    drawn = [*y_axis(plot, words.y), *(_bar(plot, *bar) for bar in bars), *x_axis(plot, words.x)]
    for at, (name, ms) in enumerate(marks.items()):
        drawn += _mark(plot, name, ms, 34 + MARKS_ROOM * at)
    says = [f"{name} {digits(ms)} ms" for name, ms in marks.items()]
    return drawing(words.title, says, plot.bottom + LABEL_ROOM, drawn)


def _merged(distribution: Sequence[tuple[float, int]]) -> list[tuple[float, float, int]]:
    """Few bars (from ms, to ms, images), each of equally many of the buckets that were counted."""
    buckets = _buckets(distribution)
    if not buckets:
        return []
    width = math.ceil((max(buckets) - min(buckets) + 1) / MOST_BARS)
    merged: Counter[int] = Counter()
    for bucket, images in buckets.items():
        merged[bucket // width] += images
    return [(_edge(bar * width), _edge((bar + 1) * width), merged[bar]) for bar in sorted(merged)]


def _buckets(distribution: Sequence[tuple[float, int]]) -> Counter[int]:
    """Count by bucket; those of the fastest and slowest few go to the last one that is drawn."""
    aside = OUTERMOST * sum(images for _, images in distribution)
    fastest = _after(aside, distribution)
    slowest = _after(aside, distribution[::-1])
    buckets: Counter[int] = Counter()
    for ms, images in distribution:
        buckets[round(math.log(min(max(ms, fastest), slowest), BUCKET_RATIO))] += images
    return buckets


def _after(aside: float, distribution: Sequence[tuple[float, int]]) -> float:
    seen = 0
    for ms, images in distribution:
        seen += images
        if seen > aside:
            return ms
    return SMALLEST_MS


def _edge(bucket: int) -> float:
    return float(BUCKET_RATIO ** (bucket - 0.5))


def _ends(values: Sequence[float], *, last_mark: float) -> tuple[float, float]:
    """Choose the axis' ends: what holds all values, and room for names beside the last mark."""
    known = [value for value in values if value > 0] or [1.0]
    low, high = min(known), max(known)
    wanting = max(1.0, LEAST_RATIO / (high / low)) ** 0.5
    low, high = low / wanting, high * wanting
    marked = max(last_mark, low)
    return low, max(high, low * (marked / low) ** (1 / (1 - NAMES_ROOM)))


def _bar(plot: Plot, begin: float, end: float, images: int) -> Element:
    left, right, y = plot.x.share(begin), plot.x.share(end), plot.down(images)
    bar = element(
        "rect",
        x=percent(left),
        y=y,
        width=percent(right - left),
        height=plot.bottom - y,
        class_="bar",
    )
    return with_title(bar, f"{digits(begin)} to {digits(end)} ms: {images} images")


def _mark(plot: Plot, name: str, ms: float, top: float) -> list[Element]:
    x = plot.across(ms)
    return [
        element("line", x1=x, x2=x, y1=top - 9, y2=plot.bottom, class_="mark"),
        text(f"{name} {digits(ms)} ms", x, top, dx=5, class_="halo"),
    ]
