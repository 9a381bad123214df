"""How far a work is, on standard error: a bar on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final, Protocol, TypeAlias

from farm.system.log import LOG, writes_json
from farm.system.terminal import obeys

BAR_SECONDS: Final = 0.1
BAR_WIDTH: Final = 20  # columns: all fits into 80
MEASURING_SECONDS: Final = 1.0  # drawing costs the coordinator a millisecond or two
LINE_SECONDS: Final = 10.0


Starting: TypeAlias = Callable[[int], AbstractContextManager[Callable[[int], None]]]


class Progress(Protocol):
    """Shows how many results have come."""

    def advance(self, *, skipped: int = 0) -> None:
        """Count one result; `skipped` images have been passed over so far."""


@contextmanager
def open_progress(total: int | None, *, lines_on_terminal: bool) -> Iterator[Progress]:
    """Show progress towards `total` (None: unknown) results.

    `lines_on_terminal`: results are printed to the same terminal and are progress enough.
    """
    if lines_on_terminal:
        yield NO_PROGRESS
    elif shows_bars():
        with _bar("images", total) as bar:
            yield bar
    else:
        yield _Lines(total)


@contextmanager
def measuring(what: str, total: int | None, done: int = 0) -> Iterator[Progress]:
    """Show `what` is measured, and how far it is: on a terminal; elsewhere nothing.

    Of `total` images (None: unknown), `done` were measured before.
    """
    if not shows_bars():
        yield NO_PROGRESS
    else:
        with _bar(what, total, done=done, every=MEASURING_SECONDS) as bar:
            yield bar


@contextmanager
def starting(workers: int) -> Iterator[Callable[[int], None]]:
    """Show how many of `workers` are up, as what is returned is told: on a terminal."""
    if not shows_bars():
        yield lambda _up: None
    else:
        with _bar("starting workers", workers, timed=False) as bar:
            yield bar.show_at


@contextmanager
def nobody_told(_workers: int) -> Iterator[Callable[[int], None]]:
    """Show nothing: the default of a farm."""
    yield lambda _up: None


def shows_bars() -> bool:
    """Return whether standard error is a terminal that can draw a line anew."""
    return obeys(sys.stderr) and not writes_json()


class _NullProgress:
    def advance(self, *, skipped: int = 0) -> None:
        """See Progress.advance."""


NO_PROGRESS: Final[Progress] = _NullProgress()


class _Lines:
    def __init__(self, total: int | None) -> None:
        self._of = "" if total is None else f" of {total}"
        self._done = 0
        self._begun = self._said = time.monotonic()

    def advance(self, *, skipped: int = 0) -> None:
        """See Progress.advance."""
        self._done += 1
        now = time.monotonic()
        if now - self._said >= LINE_SECONDS:
            self._said = now
            done, rate = self._done + skipped, self._done / (now - self._begun)
            told = {"event": "progress", "images": done, "rate": round(rate, 1)}
            LOG.info(f"{done}{self._of} images, {rate:.0f} per second", extra=told)


@contextmanager
def _bar(
    what: str, total: int | None, *, done: int = 0, every: float = BAR_SECONDS, timed: bool = True
) -> Iterator[_Bar]:
    # rich is only paid for where a bar is seen.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    times = (TextColumn("{task.fields[rate]:.0f}/s"), TimeRemainingColumn()) if timed else ()
    columns = (TextColumn("{task.description}"), BarColumn(BAR_WIDTH), MofNCompleteColumn(), *times)
    # Without a thread of its own: it would take time from the coordinator's.
    with RichProgress(
        *columns, console=Console(stderr=True), transient=True, auto_refresh=False,
        redirect_stdout=False,
    ) as rich:  # fmt: skip
        bar = _Bar(rich, rich.add_task(what, total=total, completed=done, rate=0.0), done, every)
        yield bar
        bar.show(time.monotonic())


class _Bar:
    def __init__(self, rich: object, task: object, before: int, every: float) -> None:
        self._rich, self._task, self._before, self._every = rich, task, before, every
        self._done = self._skipped = 0
        self._begun = self._shown = time.monotonic()

    def advance(self, *, skipped: int = 0) -> None:
        """See Progress.advance."""
        self._done += 1
        self._skipped = skipped
        now = time.monotonic()
        if now - self._shown >= self._every:
            self.show(now)

    def show_at(self, done: int) -> None:
        """Draw the bar with so many done, if it is not drawn so."""
        if done != self._done:
            self._done = done
            self.show(time.monotonic())

    def show(self, now: float) -> None:
        """Draw the bar as it is `now` (CLOCK_MONOTONIC seconds)."""
        self._shown = now
        rate = self._done / max(now - self._begun, BAR_SECONDS)
        at = self._before + self._done + self._skipped
        self._rich.update(self._task, completed=at, rate=rate, refresh=True)  # type: ignore[attr-defined]
