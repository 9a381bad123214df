"""Figures of a snapshot as short text, for a table or a line of a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

DAY: Final = 86400.0  # seconds


def rate(per_second: float | None) -> str:
    """Return a number of images per second with its unit; `-` if it is not known."""
    return "-" if per_second is None else f"{digits(per_second)}/s"


def digits(value: float) -> str:
    """Return a figure with about three digits: 0.93, 22.9, 1104; and 0."""
    if value == 0:
        return "0"
    return f"{value:.{0 if value >= 99.95 else 1 if value >= 9.995 else 2}f}"


def count(number: int) -> str:
    """Return a number of things with its thousands apart: 12,345."""
    return f"{number:,}"


def share(value: float) -> str:
    """Return a share (0 to 1) as per cent."""
    return f"{value * 100:.0f} %"


def gigabytes(megabytes: float) -> str:
    """Return megabytes in GB, without the unit."""
    return f"{megabytes / 1024:.1f}"


def by_kind(counts: Mapping[str, int]) -> str:
    """Return how many of each kind, the most frequent first: 8 empty, 4 corrupt."""
    found = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{count(number)} {kind}" for kind, number in found)


def duration(seconds: float) -> str:
    """Return a time as 0:00:12, or 3 days, 1:02:33."""
    return str(timedelta(seconds=max(0, round(seconds))))


def ago(seconds: float) -> str:
    """Return how long ago something was, in its largest unit: 12 s, 3 min, 5 h, 2 d."""
    for size, unit in ((DAY, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"
