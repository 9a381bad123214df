"""A report's charts, each with its title, a sentence and a legend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from farm.report.data import Measured, Report
from farm.report.format import counted, digits, per_second, share
from farm.report.html.charts import (
    OUTERMOST,
    PER_CENT,
    Labels,
    Limit,
    Part,
    Point,
    Row,
    Series,
    columns,
    curve,
    histogram,
    rows,
)
from farm.report.html.svg import Svg, box_swatch, line_swatch
from farm.report.html.timeline import PHASES, timeline, window
from farm.report.npu_limit import limit_rate, mean_saturation
from farm.report.text_table import MEANINGS

STEPS: Final = ("queue", "decode", "wait", "infer")  # of an image, one after the other
REST: Final = "rest"  # of the total: results come back by the batch
PERCENTILES: Final = ("p50", "p90", "p99")
SPANS_ON_A_PAGE: Final = 2000  # 150 kB
ALWAYS_BUSY: Final = Limit(value=100, name="always busy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A chart below its title, a sentence on it, and its legend: pairs of a swatch and a name."""

    title: str
    caption: str
    chart: Svg
    legend: tuple[tuple[Svg, str], ...] = ()


def measured_name(report: Report) -> str:
    """Return what measured figures are called, wherever they are shown."""
    return "measured, SIMULATED NPU" if report.simulated else "measured"


def published_name(report: Report) -> str:
    """Return what published figures are called."""
    return f"published: {report.published_source}"


def saturation_title(report: Report) -> str:
    """Return of what the saturation is."""
    return "NPU saturation" if report.npu_cores else "Saturation of the CPU runtimes"


def saturation_caption(report: Report) -> str:
    """Return where the saturation is from."""
    return f"{measured_name(report)}: {report.saturation_source}"


def rate_curve(report: Report) -> Figure:
    """Return images per second by size, beside the NPU's limit and what others published."""
    limit = limit_rate(report)
    ours = [
        Point(
            x=size.runtimes,
            y=per_second(size.average_ms.median),
            lowest=per_second(size.average_ms.highest),
            highest=per_second(size.average_ms.lowest),
            title=f"{counted(size.runtimes, 'runtime')}: "
            f"{digits(per_second(size.average_ms.median))} per second, "
            f"{digits(size.average_ms.median)} ms per image",
        )
        for size in report.sizes
    ]
    theirs = [
        point(each.runtimes, 1000 / each.average_ms, f"{digits(each.average_ms)} ms per image")
        for each in report.published
    ]
    several = any(len(size.rounds) > 1 for size in report.sizes)
    return by_size(
        report,
        Labels(title="Images per second", x="runtimes", y="images per second"),
        "The median of the rounds, and their range" if several else "One round of each",
        (ours, theirs),
        Limit(value=limit, name=f"NPU's limit {digits(limit)}, computed") if limit else None,
    )


def saturation_curve(report: Report) -> Figure:
    """Return how busy the NPU was by size: the mean of its cores."""
    mean = "busy, mean of the cores" if report.npu_cores else "busy, mean"
    labels = Labels(title=saturation_title(report), x="runtimes", y=mean, unit="%")
    both = (
        ((size.runtimes, mean_saturation(report, size)) for size in report.sizes),
        ((each.runtimes, each.saturation) for each in report.published if each.saturation),
    )
    ours, theirs = (
        [point(runtimes, busy * 100, f"{share(busy)} busy") for runtimes, busy in pairs]
        for pairs in both
    )
    return by_size(report, labels, saturation_caption(report), (ours, theirs), ALWAYS_BUSY)


def by_size(
    report: Report,
    labels: Labels,
    caption: str,
    points: tuple[Sequence[Point], Sequence[Point]],
    limit: Limit | None,
) -> Figure:
    """Return a curve of measured and published `points`; one of per cent up to 100."""
    names = {"measured": measured_name(report), "published": published_name(report)}
    series = [
        Series(kind=kind, points=tuple(each))
        for kind, each in zip(names, points, strict=True)
        if each
    ]
    return Figure(
        title=labels.title,
        caption=caption,
        legend=tuple((line_swatch(each.kind), names[each.kind]) for each in series),
        chart=curve(labels, series, limit, y=PER_CENT if labels.unit == "%" else None),
    )


def point(runtimes: int, y: float, said: str) -> Point:
    """Return a value without a range."""
    title = f"{counted(runtimes, 'runtime')}: {said}"
    return Point(x=runtimes, y=y, lowest=y, highest=y, title=title)


def rate_bars(report: Report) -> Figure:
    """Return images per second of the only size, beside the NPU's limit and what was published."""
    size, limit = report.sizes[0], limit_rate(report)
    by = "SIMULATED" if report.simulated else "measured"
    runtimes, rate = counted(size.runtimes, "runtime"), per_second(size.average_ms.median)
    bars = [("measured", f"{runtimes}, {by}", rate)]
    bars += [("ceiling", "NPU's limit, computed", limit)] if limit else []
    best = min(report.published, key=lambda each: each.average_ms, default=None)
    bars += [
        ("published", f"{counted(each.runtimes, 'runtime')}, published", 1000 / each.average_ms)
        for each in report.published
        if each.runtimes == size.runtimes or each is best
    ]
    named = [(kind, value, f"{name}: {digits(value)}") for kind, name, value in bars]
    drawn = [
        Row(name=name, parts=(Part(kind=kind, value=value, title=name),))
        for kind, value, name in named
    ]
    labels = Labels(title="Images per second", x="images per second")
    caption = published_name(report) if report.published else measured_name(report)
    return Figure(title=labels.title, caption=caption, chart=rows(labels, drawn))


def core_bars(report: Report) -> Figure:
    """Return how busy each NPU core was with the only size."""
    size, cores = report.sizes[0], bool(report.npu_cores)
    labels = Labels(
        title=saturation_title(report) + (" by core" if cores else ""),
        x=f"NPU core, {counted(size.runtimes, 'runtime')}" if cores else "",
        y="busy",
        unit="%",
    )
    values = [
        (f"{core}" if cores else "runtimes", busy * 100)
        for core, busy in enumerate(size.saturation)
    ]
    theirs = [
        Limit(value=busy * 100, name=f"published {share(busy)}", kind="theirs")
        for each in report.published
        if each.runtimes == size.runtimes and (busy := each.saturation)
    ]
    chart = columns(labels, values, theirs[0] if theirs else None)
    return Figure(title=labels.title, caption=saturation_caption(report), chart=chart)


def steps(report: Report) -> Figure:
    """Return the steps of an image, a bar for each number of runtimes."""
    labels = Labels(title="The steps of an image", x="ms, mean of all images")
    bars = []
    for size in report.sizes:
        total, means = size.means["total"], {step: size.means[step] for step in STEPS}
        means[REST] = max(0.0, total - sum(means.values()))
        parts = (
            Part(kind=step, value=ms, title=f"{step}: {digits(ms)} ms")
            for step, ms in means.items()
        )
        name = f"{counted(size.runtimes, 'runtime')}: {digits(total)} ms in all"
        bars.append(Row(name=name, parts=tuple(parts)))
    legend = [(box_swatch(step), f"{step}: {MEANINGS[step]}") for step in STEPS]
    return Figure(
        title=labels.title,
        caption=f"{measured_name(report)}; many images are processed at the same time",
        legend=(*legend, (box_swatch(REST), f"{REST}: in its task, and until its batch is back")),
        chart=rows(labels, bars),
    )


def latency(report: Report, size: Measured) -> Figure:
    """Return how long images took with one number of runtimes."""
    title = f"Latency, {counted(size.runtimes, 'runtime')}"
    marks = dict(zip(PERCENTILES, size.percentiles["total"], strict=True))
    return Figure(
        title=title,
        caption=f"{MEANINGS['total']}, {measured_name(report)}; "
        f"the fastest and the slowest {OUTERMOST:.1%} are in the outermost bars",
        chart=histogram(
            Labels(title=title, x="ms, logarithmic", y="images"), size.distribution, marks
        ),
    )


def lanes(report: Report, size: Measured) -> Figure:
    """Return what each worker did in a slice of a round with one number of runtimes."""
    part = window(size.spans, at_most=SPANS_ON_A_PAGE // len(report.sizes))
    title = f"What each worker did, {counted(size.runtimes, 'runtime')}"
    caption = f"{measured_name(report)}; every bar is an image"
    if size.runtimes > len(part.workers):
        caption += f"; {len(part.workers)} of {size.runtimes} workers are drawn"
    labels = Labels(title=title, x=f"ms; 0 is {part.start:.0f} ms into a round", y="worker")
    return Figure(
        title=title,
        caption=caption,
        legend=tuple((box_swatch(phase), phase) for phase in PHASES),
        chart=timeline(labels, part, decoders=size.decoders),
    )
