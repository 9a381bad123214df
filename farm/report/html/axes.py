"""What all charts share: the drawing, its area, its axes.

Along x everything stands in per cent of the width, along y in pixels: a chart fills any width, and
its text keeps its size. Beside the area, the page's style leaves room for the labels of the axes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from farm.report.html.markup import Child, Element, element
from farm.report.html.scales import Scale, label, spaced

TITLE_ROOM: Final = 26.0  # pixels above an area, for the y axis' title
LABEL_ROOM: Final = 44.0  # and below, for the x axis' labels and title
LEFT_ROOM: Final = 44.0  # and on the left; the page's style leaves as much
# Of the width of a narrow phone: what a label takes, and between two of them.
CHARACTER: Final = 0.028
BETWEEN: Final = 0.02
Y_TICKS: Final = 6
X_TICKS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """An area between two axes, `height` pixels high below `top`."""

    x: Scale
    y: Scale
    height: float
    top: float = TITLE_ROOM

    @property
    def bottom(self) -> float:
        """Pixels from the drawing's top to the area's end."""
        return self.top + self.height

    def across(self, value: float) -> str:
        """Where `value` is along x, in per cent of the width."""
        return percent(self.x.share(value))

    def down(self, value: float) -> float:
        """Where `value` is along y, in pixels from the drawing's top."""
        return self.top + self.height * (1 - self.y.share(value))


def percent(share: float) -> str:
    """A share of 1 of the width, as SVG has it."""
    return f"{round(share * 100, 2):g}%"


def drawing(title: str, says: Sequence[str], height: float, drawn: Sequence[Child]) -> Element:
    """An SVG as wide as its place; `title` and `says` are for those who can't see it."""
    told = element("title", title), element("desc", "; ".join(says))
    return element("svg", *told, *drawn, class_="plot", role="img", height=height)


def with_title(shape: Element, title: str) -> Element:
    """`shape`, saying `title` where the pointer rests on it."""
    return element("g", element("title", title), shape)


def y_axis(plot: Plot, title: str, *, unit: str = "") -> list[Element]:
    """The lines across the area, what they stand for, and the axis' title above."""
    drawn = [text(title, "0%", plot.top - 12, class_="axis", dx=-LEFT_ROOM)]
    for tick in plot.y.ticks(Y_TICKS):
        y = plot.down(tick)
        drawn.append(element("line", x1="0%", x2="100%", y1=y, y2=y, class_="grid"))
        drawn.append(text(label(tick) + unit, "0%", y, dy=4, dx=-7, class_="end"))
    return drawn


def x_axis(plot: Plot, title: str, at: Sequence[float] | None = None) -> list[Element]:
    """The labels below the area, of round values or of those given, and the axis' title."""
    values = plot.x.ticks(X_TICKS) if at is None else sorted(at)
    return named_x_axis(plot, title, [(label(value), value) for value in values])


def named_x_axis(plot: Plot, title: str, named: Sequence[tuple[str, float]]) -> list[Element]:
    """The labels below the area, of rising values, as many as have room, and the axis' title."""
    y = plot.bottom
    drawn = [element("line", x1="0%", x2="100%", y1=y, y2=y, class_="tick")]
    gap = BETWEEN + CHARACTER * max((len(name) for name, _ in named), default=0)
    for index in spaced([plot.x.share(value) for _, value in named], gap):
        name, x = named[index][0], plot.across(named[index][1])
        drawn.append(element("line", x1=x, x2=x, y1=y, y2=y + 4, class_="tick"))
        drawn.append(text(name, x, y + 17, class_="middle"))
    return [*drawn, text(title, "100%", y + 36, class_="axis end")]


def text(said: str, x: str, y: float, **attributes: str | float) -> Element:
    """Text whose anchor is at `x`, `y`."""
    return element("text", said, x=x, y=y, **attributes)
