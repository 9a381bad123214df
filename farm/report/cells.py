"""A benchmark's table as cells: the same for a terminal and for Markdown."""

from __future__ import annotations

from statistics import median
from typing import Final

from farm.report.data import Measured, Report
from farm.report.format import percentages, share

WIDEST_PUBLISHED: Final = "1.00 ms at 80 %"
WIDEST_RANGE: Final = "10.00-20.00"
OPTIONAL: Final = ("CPU per image", "range")  # a narrow terminal can do without, the first first


def widest(report: Report) -> list[str]:
    """Return the widest cells there will be: a row is printed before the next one is known."""
    busy = percentages([1.0] * max(1, report.npu_cores))
    cells = ["", "", busy, "", WIDEST_RANGE, ""]
    return [*cells, WIDEST_PUBLISHED] if report.published else cells


def heads(report: Report) -> list[str]:
    """Return the names of the columns."""
    names = ["runtimes", "execution time", "core saturation", "average per image", "range"]
    return [*names, "CPU per image", *(["published"] if report.published else [])]


def cells(report: Report, size: Measured) -> list[str]:
    """Return one size's medians over its rounds; `range` is the lowest and highest average."""
    average = size.average_ms
    found = [
        f"{size.runtimes}",
        f"{median(each.seconds for each in size.rounds):.2f} s",
        percentages(size.saturation),
        f"{average.median:.2f} ms",
        f"{average.lowest:.2f}-{average.highest:.2f}",
        f"{size.cpu_ms.median:.2f} ms",
    ]
    if report.published:
        beside = next((each for each in report.published if each.runtimes == size.runtimes), None)
        found.append("-" if beside is None else f"{beside.average_ms:.2f} ms")
        if beside is not None and beside.saturation is not None:
            found[-1] += f" at {share(beside.saturation)}"
    return found
