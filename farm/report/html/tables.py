"""A report's tables: the one that the field publishes, what runtimes cost, the steps' times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from typing import Final, TypeAlias

from farm.report.data import Measured, Report
from farm.report.format import between, digits, per_second, share, shares, spread
from farm.report.html.breakdown import PERCENTILES
from farm.report.html.figure import measured_name, published_name
from farm.report.html.markup import Child, Element, element
from farm.report.size_choice import enough
from farm.report.text_table import MEANINGS
from farm.report.text_table import conditions as told_by_sensors
from farm.results.stats import PHASES

NONE: Final = "-"

Line: TypeAlias = tuple[Sequence[Child], bool]  # a row's cells, and whether it stands out


def results(report: Report) -> Element:
    """Runtimes, execution time, saturation of each core, average per image; theirs beside ours."""
    heads = ["Runtimes", "Execution time", "Core saturation", "Average per image"]
    caption = f"Medians of the rounds, {measured_name(report)}"
    if report.published:
        heads += ["Published average", "Published saturation"]
        caption += f"; {published_name(report)}; another model, other images than here"
    return table(caption, heads, [_line(report, size, _result) for size in report.sizes])


def costs(report: Report) -> Element:
    """What each number of runtimes costs: CPU time, memory, time to start."""
    heads = ["Runtimes", "Images per second", "CPU per image", "Memory", "Each worker", "Start"]
    caption = (
        f"{measured_name(report)}. CPU time is that of all processes, user and "
        f"system. Memory is PSS, which counts what processes share once"
    )
    return table(caption, heads, [_line(report, size, _cost) for size in report.sizes])


def steps(report: Report, size: Measured) -> Element:
    """The percentiles of each step of an image."""
    body: list[Line] = [
        (
            [_with_small(phase, MEANINGS[phase]), *map(digits, size.percentiles[phase])],
            phase == "total",
        )
        for phase in PHASES
    ]
    return table(f"Milliseconds per image, {measured_name(report)}", ["Step", *PERCENTILES], body)


def conditions(report: Report) -> Element | None:
    """What a board's sensors told while it ran; None where there are none."""
    body: list[Line] = [
        ([f"{size.runtimes}", "; ".join(told_by_sensors(size.conditions))], False)
        for size in report.sizes
        if size.conditions is not None
    ]
    heads = ["Runtimes", "What the board's sensors told"]
    return table("While the rounds ran", heads, body, kind="words") if body else None


def table(caption: str, heads: Sequence[str], body: Sequence[Line], kind: str = "wide") -> Element:
    """A table below its caption, which scrolls where it is too wide; a row may stand out."""
    head = element("tr", *(element("th", each, scope="col") for each in heads))
    rows = [_row(cells, stands_out=stands_out) for cells, stands_out in body]
    inside = element("table", element("thead", head), element("tbody", *rows), class_=kind)
    said = element("p", caption, class_="caption")
    region = {"class_": "scroll", "role": "region", "tabindex": "0", "aria_label": caption}
    return element("div", said, element("div", inside, **region))


def _row(cells: Sequence[Child], *, stands_out: bool) -> Element:
    first = element("th", cells[0], scope="row")
    rest = (element("td", cell) for cell in cells[1:])
    return element("tr", first, *rest, **({"class_": "chosen"} if stands_out else {}))


def _line(report: Report, size: Measured, cells: Callable[[Report, Measured], list[Child]]) -> Line:
    chosen = len(report.sizes) > 1 and size is enough(report.sizes)
    return [f"{size.runtimes}", *cells(report, size)], chosen


def _result(report: Report, size: Measured) -> list[Child]:
    ours: list[Child] = [
        f"{median(each.seconds for each in size.rounds):.2f} s",
        shares(size.saturation),
        _with_small(f"{size.average_ms.median:.2f} ms", spread(size.average_ms)),
    ]
    return ours + (_published(report, size) if report.published else [])


def _published(report: Report, size: Measured) -> list[Child]:
    known = next((each for each in report.published if each.runtimes == size.runtimes), None)
    if known is None:
        return [NONE, NONE]
    busy = NONE if known.saturation is None else share(known.saturation)
    return [element("span", said, class_="theirs") for said in (f"{known.average_ms:.2f} ms", busy)]


def _cost(_: Report, size: Measured) -> list[Child]:
    return [
        digits(per_second(size.average_ms.median)),
        _with_small(f"{digits(size.cpu_ms.median)} ms", spread(size.cpu_ms)),
        f"{size.memory_mb:.0f} MB",
        f"{between(size.worker_mb)} MB" if size.worker_mb else NONE,
        f"{size.start_seconds:.2f} s",
    ]


def _with_small(said: str, below: str) -> Element:
    return element("span", said, *([element("small", below)] if below else []))
