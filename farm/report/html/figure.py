"""What stands around a chart: its title, a sentence, what its lines and colours stand for."""

from __future__ import annotations

from collections.abc import Sequence

from farm.report.data import Report
from farm.report.html.charts import marker
from farm.report.html.markup import Element, element


def measured_name(report: Report) -> str:
    """What measured figures are called, wherever they are shown."""
    return "measured, SIMULATED NPU" if report.simulated else "measured"


def published_name(report: Report) -> str:
    """What published figures are called."""
    return f"published: {report.published_source}"


def figure(title: str, said: str, legend: Sequence[tuple[Element, str]], chart: Element) -> Element:
    """A chart below its title, a sentence on it, and its legend."""
    above = [element("figcaption", element("h3", title), element("p", said))]
    if legend:
        items = (element("li", swatch, name) for swatch, name in legend)
        above.append(element("ul", *items, class_="legend"))
    return element("figure", *above, chart)


def line(kind: str) -> Element:
    """How a series of this kind is drawn."""
    trace = element("line", x1=0, x2=30, y1=7, y2=7, class_="trace")
    drawn = element("g", trace, marker(kind, "15", 7), class_=kind)
    return element("svg", drawn, width=30, height=14, aria_hidden="true")


def box(kind: str) -> Element:
    """How a bar of this kind is filled."""
    drawn = element("rect", width=16, height=12, class_=kind)
    return element("svg", drawn, width=16, height=12, aria_hidden="true")
