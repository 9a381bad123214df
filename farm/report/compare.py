"""Two benchmarks side by side: how much faster each size is now, and what else has changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import msgspec

from farm.errors import SourceError
from farm.report.data import Measured, Report, Spread
from farm.report.size_choice import clearly_faster
from farm.report.subject import Subject
from farm.report.subject_text import facts
from farm.system.terminal import columns

HEADS: Final = ("runtimes", "before", "now", "before/now", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierSize:
    """One size of an earlier benchmark."""

    runtimes: int
    average_ms: Spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """What is compared of an earlier benchmark; `subject` is None in a file of npu-farm 0.1."""

    platform: str
    what: str
    images: int
    sizes: tuple[EarlierSize, ...]
    machine: dict[str, str]
    subject: Subject | None = None


def read(text: bytes, name: str) -> Earlier:
    """Return the benchmark in the JSON file `name`; raise SourceError if there is none in it."""
    try:
        return msgspec.json.decode(text, type=Earlier)
    except msgspec.DecodeError as error:
        raise SourceError(
            f"{name}: not a benchmark: {error}; name a file that npu-farm bench --json wrote"
        ) from error


def ratios(earlier: Earlier, report: Report) -> list[tuple[EarlierSize, Measured, float]]:
    """Return the sizes that both have, with before/now: 2.0 is twice as fast now."""
    before = {each.runtimes: each for each in earlier.sizes if each.average_ms.median > 0}
    return [
        (before[now.runtimes], now, before[now.runtimes].average_ms.median / now.average_ms.median)
        for now in report.sizes
        if now.runtimes in before and now.average_ms.median > 0
    ]


def differences(earlier: Earlier, report: Report) -> dict[str, tuple[str, str]]:
    """Return what was not the same, by name, before and now; of a config, each key's value."""
    before, now = _compared(earlier), _compared(report)
    return {
        name: (f"{before[name]}", f"{now[name]}")
        for name in before
        if name in now and before[name] != now[name]
    }


def comparison(earlier: Earlier, report: Report, name: str) -> list[str]:
    """Return the comparison with the benchmark in the file `name` as lines of text."""
    rows = [
        [f"{now.runtimes}", f"{before.average_ms.median:.2f} ms",
         f"{now.average_ms.median:.2f} ms", f"{ratio:.2f}", _judged(before, now)]
        for before, now, ratio in ratios(earlier, report)
    ]  # fmt: skip
    table = columns(HEADS, rows) if rows else ["no size was measured both times"]
    changed = [f"NOT THE SAME {what}: {before}, now {now}"
               for what, (before, now) in differences(earlier, report).items()]  # fmt: skip
    if earlier.subject is None:
        changed.append("its model and config are not known: an older npu-farm wrote it")
    return [f"compared with {name}:", *table, *changed]


def _judged(before: EarlierSize, now: Measured) -> str:
    if clearly_faster(now, before):
        return "faster"
    return "slower" if clearly_faster(before, now) else "no clear difference"


def _compared(report: Earlier | Report) -> dict[str, Any]:
    """Return by name what must be the same for figures to be comparable."""
    found: dict[str, Any] = {"platform": report.platform, "runtime": report.what}
    if (said := report.subject) is not None:
        found["model"] = facts(said)["model"]
        found["images"] = f"{report.images} in {' '.join(said.images)}"
        found |= said.config
    return found | {name: fact for name, fact in report.machine.items() if name != "date"}
