"""A report's charts of where the time goes: by step, by image, by worker."""

from __future__ import annotations

from typing import Final

from farm.report.data import Measured, Report
from farm.report.format import counted, digits
from farm.report.html.charts import Part, Row, Words, rows
from farm.report.html.figure import box, figure, measured_name
from farm.report.html.latency_chart import OUTERMOST, histogram
from farm.report.html.markup import Element
from farm.report.html.timeline_chart import PHASES, timeline, window
from farm.report.text_table import MEANINGS

STEPS: Final = ("queue", "decode", "wait", "infer")  # of an image, one after the other
REST: Final = "rest"  # of the total: results come back by the batch
PERCENTILES: Final = ("p50", "p90", "p99")
SPANS_ON_A_PAGE: Final = 2000  # 150 kB


def split(report: Report) -> Element:
    """The steps of an image, a bar for each number of runtimes."""
    words = Words(title="The steps of an image", x="ms, mean of all images")
    said = f"{measured_name(report)}; many images are on their way at once"
    legend = [(box(step), f"{step}: {MEANINGS[step]}") for step in STEPS]
    legend.append((box(REST), f"{REST}: until its batch is back"))
    chart = rows(words, [_steps(size) for size in report.sizes])
    return figure(words.title, said, legend, chart)


def latency(report: Report, size: Measured) -> Element:
    """How long images took with one number of runtimes."""
    words = Words(
        title=f"Latency, {counted(size.runtimes, 'runtime')}", x="ms, logarithmic", y="images"
    )
    marks = dict(zip(PERCENTILES, size.percentiles["total"], strict=True))
    said = (
        f"{MEANINGS['total']}, {measured_name(report)}; "
        f"the fastest and the slowest {OUTERMOST:.1%} are in the outermost bars"
    )
    return figure(words.title, said, (), histogram(words, size.distribution, marks))


def lanes(report: Report, size: Measured) -> Element:
    """What each worker did in a slice of a round with one number of runtimes."""
    part = window(size.spans, at_most=SPANS_ON_A_PAGE // len(report.sizes))
    words = Words(
        title=f"What each worker did, {counted(size.runtimes, 'runtime')}",
        x=f"ms; 0 is {part.start:.0f} ms into a round",
        y="worker",
    )
    said = f"{measured_name(report)}; every bar is an image"
    if size.runtimes > len(part.workers):
        said += f"; {len(part.workers)} of {size.runtimes} workers are drawn"
    legend = [(box(phase), phase) for phase in PHASES]
    return figure(words.title, said, legend, timeline(words, part, decoders=size.decoders))


def _steps(size: Measured) -> Row:
    total, steps = size.means["total"], {step: size.means[step] for step in STEPS}
    steps[REST] = max(0.0, total - sum(steps.values()))
    parts = [
        Part(kind=step, value=ms, title=f"{step}: {digits(ms)} ms") for step, ms in steps.items()
    ]
    name = f"{counted(size.runtimes, 'runtime')}: {digits(total)} ms in all"
    return Row(name=name, parts=tuple(parts))
