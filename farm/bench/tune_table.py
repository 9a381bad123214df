"""A tune as text: a row for each trial as it ends, then what was chosen, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from farm.bench.tune_search import Stage, Trial
from farm.report.size_choice import enough, fastest
from farm.system.terminal import UNLIMITED, columns

HEADS: Final = ("size", "decoders", "decoder_cpu", "average per image", "range", "CPU per image",
                "memory")  # fmt: skip
# The widest cells there will be: a row is printed before the next one is known.
WIDEST: Final = ("256 ", "", "", "", "10.00-20.00", "", "1000 MB")


OPTIONAL: Final = ("CPU per image", "range")  # a narrow terminal can do without, the first first


def head(width: int = UNLIMITED) -> str:
    """Return the heads of the columns that fit into `width`."""
    return columns(HEADS, [], WIDEST, width=width, optional=OPTIONAL)[0]


def row(trial: Trial, width: int = UNLIMITED) -> str:
    """Return one trial's medians over its rounds; `range` is the lowest and highest average."""
    choice, found, average = trial.choice, trial.measured, trial.measured.average_ms
    automatic = f" ({found.decoders})" if choice.decoders == "auto" else ""
    cells = [
        f"{choice.size}",
        f"{choice.decoders}{automatic}",
        choice.decoder_cpu,
        f"{average.median:.2f} ms",
        f"{average.lowest:.2f}-{average.highest:.2f}",
        f"{found.cpu_ms.median:.2f} ms",
        f"{found.memory_mb:.0f} MB",
    ]
    return columns(HEADS, [cells], WIDEST, width=width, optional=OPTIONAL)[-1]


def why(stages: Sequence[Stage], *, simulated: bool) -> list[str]:
    """Return what is best so far, key by key, and the reason; a line each.

    A key with one value to choose from has none, except the first.
    """
    unit = "ms per image" + (", simulated" if simulated else "")
    lines = []
    for stage in stages:
        if stage.key != "size" and len(stage.trials) == 1:
            continue
        chosen, best = enough(stage.trials), fastest(stage.trials)
        values = [getattr(each.choice, stage.key) for each in (chosen, best)]
        said = f"{stage.key}: {values[0]}, at {chosen.average_ms.median:.2f} {unit}: "
        if chosen is best:
            said += "the fastest of those tried" if len(stage.trials) > 1 else "the only one"
        else:
            said += f"{values[1]} is not clearly faster, at {best.average_ms.median:.2f}"
            more = best.measured.memory_mb - chosen.measured.memory_mb
            said += f", and takes {more:.0f} MB more" if stage.key == "size" and more >= 1 else ""
        lines.append(said)
    return lines
