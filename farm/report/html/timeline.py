"""What each worker did when: a lane for its decoding, one for its inferences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from farm.report.data import Span
from farm.report.html.axes import LABEL_ROOM, LEFT_ROOM, Plot, Scale, x_axis
from farm.report.html.charts import Labels
from farm.report.html.svg import Svg, drawing, element, text

PHASES: Final = ("decode", "infer")
MOST_WORKERS: Final = 16
SPANS_PER_WORKER: Final = 40  # about twenty images: each is seen, and what repeats, too
MOST_ROWS: Final = 4  # of one lane; more threads share the last one
ROW: Final = 11.0
GAP: Final = 2.0  # between two lanes
WORKER_GAP: Final = 8.0
OVERLAP_MS: Final = 0.05  # inexact clocks, not two images at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The part of a slice that is drawn: from `start` to `end` ms, of `workers` in order.

    It begins with the end of its first span: what had ended before that is not in the slice.
    """

    start: float
    end: float
    workers: tuple[int, ...]
    spans: tuple[Span, ...]


def window(spans: Sequence[Span], *, at_most: int) -> Window:
    """Return the first spans in time, `at_most` of them, of the first workers."""
    workers = tuple(sorted({span.worker for span in spans})[:MOST_WORKERS])
    theirs = [span for span in spans if span.worker in workers and span.phase in PHASES]
    first = sorted(theirs, key=lambda span: span.start)
    shown = tuple(first[: min(at_most, SPANS_PER_WORKER * len(workers))])
    start = min((span.end for span in shown), default=0.0)
    last = max((span.start for span in shown), default=0.0)  # who comes later is not shown
    end = last if last > start else max((span.end for span in shown), default=0.0)
    return Window(start=start, end=end, workers=workers, spans=shown)


def timeline(labels: Labels, part: Window, *, decoders: int) -> Svg:
    """Return rectangles over milliseconds since the window's start, two lanes for each worker.

    The lane for decoding has as many rows as it needs, of its `decoders` threads one each.
    """
    at_once = {"decode": min(decoders, MOST_ROWS), "infer": 1}
    lanes, height = [], 2.0
    for worker in part.workers:
        for phase in PHASES:
            rows = stacked(part, worker, phase, at_once[phase])
            lanes.append((worker, phase, height, rows))
            height += ROW * len(rows) + GAP
        height += WORKER_GAP
    plot = Plot(
        x=Scale(low=0, high=max(part.end - part.start, 1e-3)),
        y=Scale(low=0, high=1),
        height=height - WORKER_GAP + 2 if lanes else 0.0,
    )
    drawn = [text(labels.y, "0%", plot.top - 12, class_="axis", dx=-LEFT_ROOM)]
    drawn += [plot.upright(tick, "grid") for tick in plot.x.ticks(8)]
    names = []
    for worker, phase, at, rows in lanes:
        drawn += _lane(plot, plot.top + at, phase, rows)
        if phase == "infer":
            names.append(text(f"{worker}", "0%", plot.top + at + 3, dx=-7, class_="end strong"))
    drawn += [*names, *x_axis(plot, labels.x)]
    says = [f"{len(part.workers)} workers, {part.end - part.start:.0f} ms"]
    return drawing(labels.title, says, plot.bottom + LABEL_ROOM, drawn)


def stacked(part: Window, worker: int, phase: str, at_most: int) -> list[list[tuple[float, float]]]:
    """Return a worker's spans as (begin, end) in rows, so that those at the same time are apart."""
    rows: list[list[tuple[float, float]]] = [[]]
    for span in part.spans:
        if span.worker != worker or span.phase != phase:
            continue
        begin = max(span.start, part.start) - part.start
        end = min(span.end, part.end) - part.start
        free = next((row for row in rows if not row or row[-1][1] <= begin + OVERLAP_MS), None)
        if free is None and len(rows) < at_most:
            rows.append(free := [])
        (rows[-1] if free is None else free).append((begin, end))
    return rows


def _lane(plot: Plot, top: float, phase: str, rows: list[list[tuple[float, float]]]) -> list[Svg]:
    height = ROW * len(rows)
    drawn = [element("rect", x="0%", y=top, width="100%", height=height, class_="lane")]
    for at, row in enumerate(rows):
        bars = [
            plot.bar(begin, end, top=top + at * ROW, height=ROW)
            for begin, end in row
            if end > begin
        ]
        drawn.append(element("g", *bars, class_=phase))
    return drawn
