"""A result as one readable line, harmless for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from farm.results.result import DetectedObject, Prediction, Result
from farm.system.terminal import printable


def failure_line(result: Result) -> str:
    """Return a result with an error as one line; the error is whole."""
    error = result.error
    reason = "" if error is None else f"{error.kind}: {printable(error.message)}"
    return f"{name_of(result)}: error: {reason}"


def line_of(result: Result, parts: Sequence[str], width: int) -> str:
    """Return a result and the parts of its answer as one line, see `fitting`."""
    return fitting(beginning_of(result), parts, width)


def fitting(begin: str, parts: Sequence[str], width: int) -> str:
    """Return `begin` and as many of the parts as fit into `width`; the first is always there."""
    left = list(parts)
    line = f"{begin}{', '.join(left)}"
    while len(line) > width and len(left) > 1:
        line = line.removesuffix(f", {left.pop()}")
    return line


def beginning_of(result: Result) -> str:
    """Return what is before the answer in a result's line."""
    return f"{name_of(result)}: {'simulated: ' if result.simulated else ''}"


def name_of(result: Result) -> str:
    """Return an image's path, escaped, or the number of what was no file."""
    return f"item {result.id}" if result.path is None else printable(result.path)


def class_name(found: Prediction | DetectedObject, *, simulated: bool) -> str:
    """Return a class as a line names it: by its label up to a comma; a made-up one has a number."""
    unnamed = found.label is None or simulated
    return f"class {found.class_id}" if unnamed else printable(str(found.label).split(",")[0])
