"""A tune in words: a row for each trial as it ends, then what was chosen, and why."""

from __future__ import annotations

from typing import Final

from farm.bench.tune_search import Stage, Trial
from farm.report.data import Measured
from farm.report.size_choice import enough, fastest
from farm.system.terminal import columns

HEADS: Final = ("size", "decoders", "decoder_cpu", "average per image", "range", "CPU per image",
                "memory")  # fmt: skip
# The widest cells there will be: a row is printed before the next one is known.
WIDEST: Final = ("256 ", "", "", "", "10.00-20.00", "", "1000 MB")


def head() -> str:
    """The heads of the columns."""
    return columns(HEADS, [], WIDEST)[0]


def row(trial: Trial) -> str:
    """One trial's figures: medians of its rounds; `range` is the lowest and highest average."""
    choice, found, average = trial.choice, trial.measured, trial.measured.average_ms
    by_itself = f" ({found.decoders})" if choice.decoders == "auto" else ""
    cells = [
        f"{choice.size}",
        f"{choice.decoders}{by_itself}",
        choice.decoder_cpu,
        f"{average.median:.2f}ms",
        f"{average.lowest:.2f}-{average.highest:.2f}",
        f"{found.cpu_ms.median:.2f}ms",
        f"{found.memory_mb:.0f} MB",
    ]
    return columns(HEADS, [cells], WIDEST)[-1]


def why(stages: list[Stage], *, simulated: bool) -> list[str]:
    """What is best so far, key by key, and what speaks for it; a line each.

    A key with one value to choose from has none, but for the first.
    """
    unit = "ms per image" + (", simulated" if simulated else "")
    return [_reason(s, unit) for s in stages if s.key == "size" or len(s.trials) > 1]


def _reason(stage: Stage, unit: str) -> str:
    chosen, best = enough(stage.trials), fastest(stage.trials)
    said = f"{stage.key}: {_value(stage, chosen)}, at {_ms(chosen.measured)} {unit}: "
    if chosen is best:
        return said + ("the fastest of those tried" if len(stage.trials) > 1 else "the only one")
    than = f"{_value(stage, best)} is not clearly faster, at {_ms(best.measured)}"
    more = best.measured.memory_mb - chosen.measured.memory_mb
    memory = f", and takes {more:.0f} MB more" if stage.key == "size" and more >= 1 else ""
    return f"{said}{than}{memory}"


def _value(stage: Stage, trial: Trial) -> str:
    return str(getattr(trial.choice, stage.key))


def _ms(found: Measured) -> str:
    return f"{found.average_ms.median:.2f}"
