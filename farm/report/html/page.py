"""A report as one page of HTML that needs no network and no scripts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from farm.report.bottleneck_text import sentences
from farm.report.data import Measured, Report
from farm.report.format import SIMULATED, counted, digits, share
from farm.report.html import breakdown as details
from farm.report.html import size_charts as figures
from farm.report.html import summary_cards as tiles
from farm.report.html import tables as page_tables
from farm.report.html.markup import Child, Element, element
from farm.report.html.theme import style
from farm.report.npu_limit import mean_saturation
from farm.report.size_choice import enough
from farm.report.text_table import conditions, troubles

POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"  # a browser loads nothing for it


def render(report: Report) -> str:
    """Write a report, its sizes rising, as a page of HTML; what the report says is escaped.

    The page is well-formed XML, too. What is simulated, computed or published says so.
    """
    mark = "SIMULATED: " if report.simulated else ""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("title", f"{mark}npu-farm benchmark, {report.platform}"),
        element("style", style()),
    )
    main = element("main", *_said_first(report), *_shown(report), *_machine(report))
    page = element("html", head, element("body", _hatch(), main), lang="en")
    return f"<!DOCTYPE html>\n{page}\n"


def _said_first(report: Report) -> Iterator[Element]:
    """What it means, before what it is made of."""
    yield _header(report)
    if said := sentences(report):
        yield element(
            "section",
            *(element("p", sentence) for sentence in said),
            class_="verdict",
            aria_label="Bottleneck",
        )
    if care := _care(report):
        items = element("ul", *(element("li", each) for each in care))
        yield element("section", element("h3", "Read with care"), items, class_="care")


def _shown(report: Report) -> Iterator[Element]:
    yield element("h2", tiles.title(report))
    yield tiles.tiles(report)
    yield element("h2", "By number of runtimes" if len(report.sizes) > 1 else "What was reached")
    yield element("div", figures.rates(report), figures.saturation(report), class_="pair")
    yield element("h2", "Results")
    yield page_tables.results(report)
    yield element("h2", "Where the time goes")
    yield details.split(report)
    yield from (_details(report, size) for size in report.sizes)
    yield element("h2", "What it costs")
    yield page_tables.costs(report)
    if (told := page_tables.conditions(report)) is not None:
        yield element("h2", "Conditions")
        yield told


def _header(report: Report) -> Element:
    parts: list[Child] = [element("h1", f"npu-farm benchmark: {report.platform}")]
    if report.simulated:
        parts.append(element("span", "SIMULATED", class_="stamp"))
    often = f" {report.repeat} times" if report.repeat > 1 else ""
    said = f"{report.what}; {counted(report.images, 'image')}{often} a round"
    parts.append(element("p", said))
    if report.simulated:
        parts.append(element("p", SIMULATED))
    return element("header", *parts)


def _care(report: Report) -> list[str]:
    """Each trouble once, with the numbers of runtimes that had it."""
    had: dict[str, list[int]] = {}
    for size in report.sizes:
        for trouble in _troubles(size):
            had.setdefault(trouble, []).append(size.runtimes)
    return [
        f"{', '.join(map(str, sizes))} {'runtime' if sizes == [1] else 'runtimes'}: {trouble}"
        for trouble, sizes in had.items()
    ]


def _troubles(size: Measured) -> list[str]:
    """What makes figures others than they should be: of a board's sensors, dropped clocks alone."""
    said = troubles(replace(size, conditions=None))
    if size.conditions is not None and size.conditions.drops:
        said += conditions(replace(size.conditions, load=(), no_load=None, hottest=None))
    return said


def _details(report: Report, size: Measured) -> Element:
    chosen = {"open": "open"} if size is enough(report.sizes) else {}
    busy = share(mean_saturation(report, size))
    said = f" {digits(size.average_ms.median)} ms per image, {busy} busy"
    summary = element("summary", counted(size.runtimes, "runtime"), element("span", said))
    if not size.distribution:
        return element("details", summary, element("p", "No image was classified."), **chosen)
    pair = element(
        "div", details.latency(report, size), page_tables.steps(report, size), class_="pair"
    )
    return element("details", summary, pair, details.lanes(report, size), **chosen)


def _machine(report: Report) -> Iterator[Element]:
    facts = [
        part
        for name, fact in report.machine.items()
        for part in (element("dt", name), element("dd", fact))
    ]
    yield element("h2", "Machine")
    yield element("dl", *facts, class_="facts")


def _hatch() -> Element:
    """The pattern that the style fills waiting with."""
    stroke = element("line", x1=0, x2=0, y1=0, y2=6, class_="hatch")
    place = {"patternUnits": "userSpaceOnUse", "patternTransform": "rotate(45)"}
    pattern = element("pattern", stroke, id="hatch", width=6, height=6, **place)
    return element("svg", pattern, width=0, height=0, class_="unseen", aria_hidden="true")
