"""A page's or a chart's text as a tree, and where its shapes and words are."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree


def tree(text: str) -> ElementTree.Element:
    """Parse what must be well-formed XML."""
    return ElementTree.fromstring(text.removeprefix("<!DOCTYPE html>"))  # noqa: S314 - our own


def said(part: ElementTree.Element) -> str:
    """All words in it, one space between them."""
    return " ".join(" ".join(part.itertext()).split())


def classed(part: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    """All elements of a class."""
    return [each for each in part.iter() if name in each.get("class", "").split()]


def plots(page: ElementTree.Element) -> list[ElementTree.Element]:
    """All charts of a page."""
    return classed(page, "plot")


def number(said: str) -> float:
    """A coordinate, of per cent or pixels."""
    return float(said.removesuffix("%"))


def places(plot: ElementTree.Element) -> Iterator[tuple[str, float, float]]:
    """Each shape's coordinates as (name, lowest, highest): across in per cent, down in pixels."""
    for each in plot.iter():
        here = {name: number(value) for name, value in each.items() if name in COORDINATES}
        for axis, length in (("x", "width"), ("y", "height")):
            at = [here[name] for name in (axis, f"{axis}1", f"{axis}2", f"c{axis}") if name in here]
            if at:
                yield f"{each.tag} {axis}", min(at), max(at) + here.get(length, 0.0)


COORDINATES = {"x", "x1", "x2", "cx", "width", "y", "y1", "y2", "cy", "height"}


def outside(plot: ElementTree.Element) -> list[tuple[str, float, float]]:
    """What is not inside the drawing, rounding aside."""
    height = number(plot.get("height", "0"))
    return [
        place
        for place in places(plot)
        if place[1] < 0 or place[2] > (100.03 if place[0].endswith("x") else height)
    ]
