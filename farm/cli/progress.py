"""How far a run is, on standard error: a bar on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from farm.system.log import LOG, writes_json

BAR_SECONDS: Final = 0.1
LINE_SECONDS: Final = 10.0


class Progress(Protocol):
    """Shows how many results have come."""

    def advance(self, *, skipped: int) -> None:
        """Count one result; `skipped` images have been passed over so far."""


@contextmanager
def open_progress(total: int | None, *, lines_on_terminal: bool) -> Iterator[Progress]:
    """Show progress towards `total` (None: unknown) results.

    `lines_on_terminal`: results are printed to the same terminal and are progress enough.
    """
    if lines_on_terminal:
        yield _NullProgress()
    elif sys.stderr.isatty() and not writes_json():
        with _bar(total) as bar:
            yield bar
    else:
        yield _Lines(total)


class _NullProgress:
    def advance(self, *, skipped: int) -> None:
        """See Progress.advance."""


class _Lines:
    def __init__(self, total: int | None) -> None:
        self._of = "" if total is None else f" of {total}"
        self._done = 0
        self._begun = self._said = time.monotonic()

    def advance(self, *, skipped: int) -> None:
        """See Progress.advance."""
        self._done += 1
        now = time.monotonic()
        if now - self._said >= LINE_SECONDS:
            self._said = now
            done, rate = self._done + skipped, self._done / (now - self._begun)
            told = {"event": "progress", "images": done, "rate": round(rate, 1)}
            LOG.info(f"{done}{self._of} images, {rate:.0f} per second", extra=told)


@contextmanager
def _bar(total: int | None) -> Iterator[Progress]:
    # rich is only paid for where a bar is seen.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:.0f}/s"),
        TimeRemainingColumn(),
    )
    with RichProgress(*columns, console=Console(stderr=True), transient=True) as rich:
        bar = _Bar(rich, rich.add_task("images", total=total, rate=0.0))
        yield bar
        bar.show(time.monotonic())


class _Bar:
    def __init__(self, rich: object, task: object) -> None:
        self._rich, self._task = rich, task
        self._done = self._skipped = 0
        self._begun = self._shown = time.monotonic()

    def advance(self, *, skipped: int) -> None:
        """See Progress.advance."""
        self._done += 1
        self._skipped = skipped
        now = time.monotonic()
        if now - self._shown >= BAR_SECONDS:
            self.show(now)

    def show(self, now: float) -> None:
        """Draw the bar as it is `now` (CLOCK_MONOTONIC seconds)."""
        self._shown = now
        rate = self._done / max(now - self._begun, BAR_SECONDS)
        at = self._done + self._skipped
        self._rich.update(self._task, completed=at, rate=rate)  # type: ignore[attr-defined]
