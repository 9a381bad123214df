"""A result as one readable line."""

from __future__ import annotations

from farm.results.result import Result
from farm.system.terminal import UNLIMITED, printable


def to_text(result: Result, width: int = UNLIMITED) -> str:
    """Return a result as one readable line: of its classes, as many as fit into `width`.

    The best one is always there, and an error is whole.
    """
    name = printable(result.path) if result.path is not None else f"item {result.id}"
    if result.error is not None:
        return f"{name}: error: {result.error.kind}: {printable(result.error.message)}"
    mark = "simulated: " if result.simulated else ""
    best = []
    for each in result.top5 or ():
        unnamed = each.label is None or result.simulated
        label = f"class {each.class_id}" if unnamed else printable(str(each.label).split(",")[0])
        best.append(f"{label} {each.score * 100:.1f} %")
    line = f"{name}: {mark}{', '.join(best)}"
    while len(line) > width and len(best) > 1:
        line = line.removesuffix(f", {best.pop()}")
    return line
