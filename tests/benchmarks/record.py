"""Figures as lines on a terminal and as a section of a Markdown file."""

from __future__ import annotations

from statistics import median
from typing import Final

from tests.benchmarks.contest import Figures, Images

HEADS: Final = (
    "",
    "ms per image",
    "of the NPU's limit",
    "CPU ms per image",
    "NPU busy",
    "memory MB",
    "up after, s",
    "3 images, CPU s",
    "wrong",
)


Run = dict[str, Figures]  # of each contestant, by its name
FOREIGN: Final = 0.05  # of all CPUs; more in any turn, and the run tells nothing


def line(figures: Figures) -> str:
    """One run in a few words."""
    told = f"{figures.ms:.2f} ms per image, {figures.cpu_ms:.2f} ms CPU, {figures.wrong} wrong"
    return f"{told}, foreign load {figures.foreign:.0%}"


def section(runs: list[Run], images: Images, machine: dict[str, str]) -> str:
    """All quiet runs as a section: the machine, a table of medians and ranges, an extra worker.

    If no run was quiet, all count, and it says so. Whatever ran on the simulated NPU is said to be
    simulated.
    """
    quiet = [run for run in runs if all(each.foreign <= FOREIGN for each in run.values())]
    counted = quiet or runs
    figures = {name: [run[name] for run in counted] for name in counted[0]}
    left_out = (
        f"{len(runs) - len(quiet)} more had foreign load over {FOREIGN:.0%}, and are left out"
        if quiet
        else f"all had foreign load over {FOREIGN:.0%}"
    )
    npu = images.npu
    facts = "; ".join(f"{name} {fact}" for name, fact in machine.items() if name != "date")
    rows = [HEADS, ("---",) + ("---:",) * (len(HEADS) - 1)]
    rows += [_row(name, several) for name, several in figures.items()]
    return "\n".join(
        [
            f"\n## {machine.get('date', '')}\n",
            f"{images.count} images ({len(images.paths)} {images.what}, repeated), SIMULATED NPU "
            f"of {npu.cores} cores at {npu.service_ms:g} ms, runs: {len(counted)} ({left_out}), "
            "every other one in reverse; median (range).\n\n"
            f"{facts}.\n",
            *("| " + " | ".join(row) + " |" for row in rows),
            f"\nThe NPU's limit (computed): {npu.service_ms:g} ms per image with one runtime, "
            f"{npu.limit_ms(npu.cores):.2f} ms with {npu.cores} or more. {_extra(figures)}\n",
        ]
    )


def _row(name: str, several: list[Figures]) -> tuple[str, ...]:
    def cell(values: list[float | None], form: str) -> str:
        told = [value for value in values if value is not None]
        if not told:
            return ""
        low, mid, high = (format(f(told), form) for f in (min, median, max))
        return mid if low == high else f"{mid} ({low} to {high})"

    return (
        name,
        cell([each.ms for each in several], ".2f"),
        cell([each.limit for each in several], ".2f"),
        cell([each.cpu_ms for each in several], ".3g"),
        cell([each.saturation for each in several], ".0%"),
        cell([each.memory_mb for each in several], ".0f"),
        cell([each.start_seconds for each in several], ".2f"),
        cell([each.start_cpu for each in several], ".2f"),
        str(sum(each.wrong for each in several)),
    )


def _extra(figures: dict[str, list[Figures]]) -> str:
    """What one more worker takes, from the smallest and the largest farm."""
    told = {
        several[0].farm: median(each.memory_mb or 0.0 for each in several)
        for several in figures.values()
        if several[0].farm is not None
    }
    if len(told) < 2:
        return ""
    few, many = min(told), max(told)
    each = (told[many] - told[few]) / (many - few)
    return f"An extra worker takes {each:.1f} MB of PSS (computed from {few} and {many} runtimes)."
