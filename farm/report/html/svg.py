"""SVG as text that escapes whatever it is given, and what all charts draw with."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from farm.system.terminal import printable


class Svg(str):
    """SVG with everything in it escaped; templates and `element` take it as it is."""

    __slots__ = ()

    def __html__(self) -> str:
        return self


def element(name: str, /, *children: str, **attributes: str | float) -> Svg:
    """Return an element; of an attribute's name, `_` at the end is dropped, other `_` become `-`.

    Text and attributes are escaped, figures have two decimals at most.
    """
    written = [name]
    for key, value in attributes.items():
        text = value if isinstance(value, str) else f"{round(value, 2):g}"
        written.append(f'{key.rstrip("_").replace("_", "-")}="{escape(printable(text))}"')
    inside = "".join(
        child if isinstance(child, Svg) else escape(printable(child)) for child in children
    )
    opening = " ".join(written)
    return Svg(f"<{opening}>{inside}</{name}>" if children else f"<{opening}/>")


def drawing(title: str, says: Sequence[str], height: float, drawn: Sequence[Svg]) -> Svg:
    """Return an SVG as wide as its place; `title` and `says` are for those who can't see it."""
    described = element("title", title), element("desc", "; ".join(says))
    return element("svg", *described, *drawn, class_="plot", role="img", height=height)


def percent(share: float) -> str:
    """Return a share (0 to 1) of the width, as SVG writes it."""
    return f"{round(share * 100, 2):g}%"


def text(said: str, x: str, y: float, **attributes: str | float) -> Svg:
    """Return text with its anchor at `x`, `y`."""
    return element("text", said, x=x, y=y, **attributes)


def with_title(shape: Svg, title: str) -> Svg:
    """Return `shape` with `title` as its tooltip."""
    return element("g", element("title", title), shape)


def marker(kind: str, x: str, y: float) -> Svg:
    """Return a disc for what was measured, a hollow diamond for what others published."""
    if kind == "measured":
        return element("circle", cx=x, cy=y, r=4.5)
    return element("svg", element("path", d="M0-6L6 0 0 6-6 0Z"), x=x, y=y)


def line_swatch(kind: str) -> Svg:
    """Return how a series of this kind is drawn, for a legend."""
    trace = element("line", x1=0, x2=30, y1=7, y2=7, class_="trace")
    drawn = element("g", trace, marker(kind, "15", 7), class_=kind)
    return element("svg", drawn, width=30, height=14, aria_hidden="true")


def box_swatch(kind: str) -> Svg:
    """Return how a bar of this kind is filled, for a legend."""
    drawn = element("rect", width=16, height=12, class_=kind)
    return element("svg", drawn, width=16, height=12, aria_hidden="true")
