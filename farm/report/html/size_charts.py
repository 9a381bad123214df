"""A report's charts by number of runtimes: images per second, saturation; bars where it is one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from farm.report.data import Measured, Published, Report
from farm.report.format import counted, digits, per_second, share
from farm.report.html.charts import (
    PER_CENT,
    Limit,
    Part,
    Point,
    Row,
    Series,
    Words,
    columns,
    curve,
    rows,
)
from farm.report.html.figure import figure, line, measured_name, published_name
from farm.report.html.markup import Element
from farm.report.npu_limit import limit_rate, mean_saturation

ALWAYS_BUSY = Limit(value=100, name="always busy")


def rates(report: Report) -> Element:
    """Images per second, beside what the NPU can do and what others published."""
    return _rate_bars(report) if len(report.sizes) == 1 else _rate_curve(report)


def saturation(report: Report) -> Element:
    """How busy the NPU was: the mean of its cores, or of one number of runtimes each core."""
    return _core_bars(report) if len(report.sizes) == 1 else _saturation_curve(report)


def _rate_curve(report: Report) -> Element:
    words = Words(title="Images per second", x="runtimes", y="images per second")
    limit = limit_rate(report)
    line_at = Limit(value=limit, name=f"NPU's limit {digits(limit)}, computed") if limit else None
    theirs = [
        _point(each.runtimes, 1000 / each.average_ms, f"{digits(each.average_ms)} ms per image")
        for each in report.published
    ]
    series = _series(map(_rate, report.sizes), theirs)
    several = any(len(size.rounds) > 1 for size in report.sizes)
    said = "The median of the rounds, and their range" if several else "One round of each"
    return figure(words.title, said, _legend(report, series), curve(words, series, line_at))


def _saturation_curve(report: Report) -> Element:
    mean = "busy, mean of the cores" if report.npu_cores else "busy, mean"
    words = Words(title=_saturation_title(report), x="runtimes", y=mean, unit="%")
    ours = [(size.runtimes, mean_saturation(report, size)) for size in report.sizes]
    told = [(each.runtimes, each.saturation) for each in report.published if each.saturation]
    series = _series(map(_busy, ours), map(_busy, told))
    chart = curve(words, series, ALWAYS_BUSY, y=PER_CENT)
    return figure(words.title, _source(report), _legend(report, series), chart)


def _rate_bars(report: Report) -> Element:
    size, limit = report.sizes[0], limit_rate(report)
    by = "SIMULATED" if report.simulated else "measured"
    bars = [_bar("measured", size.runtimes, per_second(size.average_ms.median), by)]
    bars += [_bar("ceiling", 0, limit, "NPU's limit, computed")] if limit else []
    bars += [
        _bar("published", each.runtimes, 1000 / each.average_ms, "published")
        for each in _same_and_best(report.published, size.runtimes)
    ]
    words = Words(title="Images per second", x="images per second")
    said = published_name(report) if report.published else measured_name(report)
    return figure(words.title, said, (), rows(words, bars))


def _core_bars(report: Report) -> Element:
    size, cores = report.sizes[0], bool(report.npu_cores)
    words = Words(
        title=_saturation_title(report) + (" by core" if cores else ""),
        x=f"NPU core, {counted(size.runtimes, 'runtime')}" if cores else "",
        y="busy",
        unit="%",
    )
    named = [
        (f"{core}" if cores else "runtimes", busy * 100)
        for core, busy in enumerate(size.saturation)
    ]
    same = [each for each in report.published if each.runtimes == size.runtimes]
    theirs = [
        Limit(
            value=each.saturation * 100, name=f"published {share(each.saturation)}", kind="theirs"
        )
        for each in same
        if each.saturation
    ]
    chart = columns(words, named, theirs[0] if theirs else None)
    return figure(words.title, _source(report), (), chart)


def _saturation_title(report: Report) -> str:
    return "NPU saturation" if report.npu_cores else "Saturation of the CPU runtimes"


def _source(report: Report) -> str:
    return f"{measured_name(report)}: {report.saturation_source}"


def _series(ours: Iterable[Point], theirs: Iterable[Point]) -> list[Series]:
    both = ("measured", tuple(ours)), ("published", tuple(theirs))
    return [Series(kind=kind, points=points) for kind, points in both if points]


def _legend(report: Report, series: Sequence[Series]) -> list[tuple[Element, str]]:
    names = {"measured": measured_name(report), "published": published_name(report)}
    return [(line(each.kind), names[each.kind]) for each in series]


def _rate(size: Measured) -> Point:
    ms = size.average_ms
    return Point(
        x=size.runtimes,
        y=per_second(ms.median),
        lowest=per_second(ms.highest),
        highest=per_second(ms.lowest),
        title=f"{counted(size.runtimes, 'runtime')}: {digits(per_second(ms.median))} per second, "
        f"{digits(ms.median)} ms per image",
    )


def _busy(told: tuple[int, float]) -> Point:
    runtimes, busy = told
    return _point(runtimes, busy * 100, f"{share(busy)} busy")


def _point(runtimes: int, y: float, said: str) -> Point:
    title = f"{counted(runtimes, 'runtime')}: {said}"
    return Point(x=runtimes, y=y, lowest=y, highest=y, title=title)


def _bar(kind: str, runtimes: int, rate: float, said: str) -> Row:
    whose = f"{counted(runtimes, 'runtime')}, {said}" if runtimes else said
    name = f"{whose}: {digits(rate)}"
    return Row(name=name, parts=(Part(kind=kind, value=rate, title=name),))


def _same_and_best(published: Sequence[Published], runtimes: int) -> list[Published]:
    best = min(published, key=lambda each: each.average_ms, default=None)
    return [each for each in published if each.runtimes == runtimes or each is best]
