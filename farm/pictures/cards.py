"""A result as what a gallery's script draws a card of: plain data, bounded, as JSON in a page."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from farm.pictures.choice import is_wrong
from farm.pictures.colours import as_hex, colour, ink
from farm.results.output_format import as_plain_json
from farm.results.result import DetectedObject, Prediction, Result
from farm.system.terminal import printable

MOST_OBJECTS: Final = 100  # the best ones: more boxes on one picture tell nothing
MOST_CHARACTERS: Final = 4000  # of an own task's output, of an error's message
DIGITS: Final = 6  # of a score, as in the lines of a run: the page rounds them once more
# Whatever is in a text, it neither ends the script that it is in nor opens a comment there.
NOT_HTML: Final = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def as_card(result: Result, right: str | None, page: Path) -> dict[str, Any]:
    """Return a result as a card of the page at `page`; what it has not is left out.

    `right` is its right label, None if that is not known. An answer's class is its number;
    `top` is [class, score] of each, the best first, `objects` [class, score, left, top, right,
    bottom]. `file` leads from the page to the picture's file.
    """
    card: dict[str, Any] = {"id": result.id}
    if result.path is not None:
        card |= {"path": printable(result.path), "file": link(result.path, page)}
    if result.simulated:
        card["simulated"] = True
    if result.error is not None:
        return card | {"error": [printable(result.error.kind), cut(result.error.message)]}
    if result.top5 is not None:
        card["top"] = [[each.class_id, round(each.score, DIGITS)] for each in result.top5]
        if right is not None:
            card |= {"truth": printable(right), "right": not is_wrong(result, right)}
    elif result.objects is not None:
        card |= {"size": result.size, "objects": boxes(result.objects[:MOST_OBJECTS])}
        if len(result.objects) > MOST_OBJECTS:
            card["found"] = len(result.objects)
    else:
        card["output"] = cut(pretty(result.output))
    return card


def boxes(objects: Iterable[DetectedObject]) -> list[list[float]]:
    """Return objects as numbers."""
    return [
        [each.class_id, round(each.score, DIGITS), *(round(at, 1) for at in each.box)]
        for each in objects
    ]


def named(result: Result) -> Iterable[Prediction | DetectedObject]:
    """Return what a result has classes of."""
    return result.top5 or result.objects or ()


def shown(number: int, label: str | None) -> tuple[str | None, str, str]:
    """Return what shows a class: its label, its colour, that of a name on it."""
    ground = colour(number)
    return None if label is None else printable(label), as_hex(ground), as_hex(ink(ground))


def link(path: str, page: Path) -> str | None:
    """Return the relative URL of a file from a page; None for a name that no file can have."""
    try:
        return quote(os.fsencode(os.path.relpath(path, page.parent)))
    except (UnicodeEncodeError, ValueError):
        return None


def pretty(output: Any) -> str:
    """Return plain data as JSON that people read, as a results file has it; long data in a line."""
    plain = as_plain_json(output)
    text = json.dumps(plain, ensure_ascii=False, indent=2)
    return text if len(text) <= MOST_CHARACTERS else json.dumps(plain, ensure_ascii=False)


def cut(text: str) -> str:
    """Return a text of any origin, not too long, its control characters visible."""
    lines = "\n".join(map(printable, text[:MOST_CHARACTERS].split("\n")))
    others = len(text) - MOST_CHARACTERS
    return lines if others <= 0 else f"{lines} ... and {others} characters more"


def to_script(value: Any) -> str:
    """Return JSON in ASCII that can stand in a script of an HTML page."""
    return json.dumps(value, separators=(",", ":")).translate(NOT_HTML)
