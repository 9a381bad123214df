"""Results made by hand, for what shows them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from farm.pictures.gallery import Gallery
from farm.results.result import Result, Timings
from farm.results.stats import Stats
from farm.results.truth import Truth
from farm.system.signals import Signals
from tests.helpers.figures import subject
from workers.protocol.messages import ItemError

MACHINE: Final = {"date": "2026-11-25T10:00:00+01:00", "CPU": "a made-up one"}
HOSTILE: Final = (
    "</script><script>alert(1)</script>.jpg",
    '"><img src=x onerror=alert(1)>.jpg',
    "<!--<script>.jpg",
    "a\u2028b\u2029c.jpg",
    "\udcff\udcfe.jpg",
    "\u202egpj.exe",
    "\u05e9\u05dc\u05d5\u05dd.jpg",
    "&lt;&amp;'.jpg",
    "{{7*7}}{% raw %}{#.jpg",
    "\x1b[31m\n\t.jpg",
    "x" * 4096,
)


def result(
    path: str | Path | None, *, error: tuple[str, str] | None = None, **fields: Any
) -> Result:
    """A result of worker 0, of no answer unless `fields` has one."""
    return Result(
        path=None if path is None else str(path),
        error=None if error is None else ItemError(*error),
        **{
            "id": 0,
            "worker": 0,
            "attempts": 1,
            "ms": Timings(queue=1.0, decode=2.0, wait=0.5, infer=3.0, total=6.5),
            "simulated": False,
            **fields,
        },
    )


def make_page(
    page: Path,
    results: Iterable[Result],
    *,
    truth: Truth | None = None,
    total: int | None = None,
    **changes: Any,
) -> Path:
    """Write the gallery of these results, as a run does; `changes` are of its summary."""
    stats = Stats(truth=truth)
    with Gallery(page, truth, Signals(), 1.0, overwrite=True) as gallery:
        for each in results:
            gallery.write(each, 0.0)
            stats.count(each)
        run = replace(stats.summary(seconds=2.0), **changes)
        gallery.sum_up(run, subject(), MACHINE, total)
    return page
