"""How far a work is, on standard error: a bar on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from farm.system.log import LOG, writes_json
from farm.system.terminal import obeys

if TYPE_CHECKING:  # rich is only paid for where a bar is seen
    from farm.system.bar import Bar, Below

MEASURING_SECONDS: Final = 1.0  # drawing costs the coordinator a millisecond or two
NEVER: Final = float("inf")  # drawn only when there is news, and without a rate
LINE_SECONDS: Final = 10.0
TO_END_OF_LINE: Final = "\x1b[K"  # erases it

Starting: TypeAlias = Callable[[int], AbstractContextManager[Callable[[int], None]]]


@contextmanager
def sign_of_life(what: str) -> Iterator[None]:
    """Show `what` on a terminal, until something else is written in its place.

    Until then, nothing else is as quick: a library's import may take a second.
    """
    if not shows_bars():
        yield
        return
    # At the right of the ^C with which the terminal shows a Ctrl-C, by which the program ends here.
    print(f"   {what}", end="\r", file=sys.stderr, flush=True)
    try:
        yield
    finally:
        print(end=TO_END_OF_LINE, file=sys.stderr, flush=True)


class Progress(Protocol):
    """Shows how many results have come."""

    def advance(self, *, skipped: int = 0) -> None:
        """Count one result; `skipped` images have been passed over so far."""


@contextmanager
def open_progress(
    total: int | None, *, lines_on_terminal: bool, below: Below | None = None
) -> Iterator[Progress]:
    """Show progress towards `total` (None: unknown) results, and more `below` a bar.

    `lines_on_terminal`: results are printed to the same terminal and are progress enough.
    """
    if lines_on_terminal:
        yield NO_PROGRESS
    elif shows_bars():
        with _bar("images", total, below=below) as bar:
            yield bar
    else:
        yield _Lines(total)


@contextmanager
def measuring(
    what: str, total: int | None, done: int = 0, below: Below | None = None
) -> Iterator[Progress]:
    """Show `what` is measured, and how far it is: on a terminal; elsewhere nothing.

    Of `total` images (None: unknown), `done` were measured before. `below` the bar stands more.
    """
    if not shows_bars():
        yield NO_PROGRESS
    else:
        with _bar(what, total, done=done, every=MEASURING_SECONDS, below=below) as bar:
            yield bar


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """How long something has taken, and how long it will still take at most: seconds."""

    passed: float
    left: float


@contextmanager
def timing(what: str, clock: Clock, below: Below | None = None) -> Iterator[Progress]:
    """Show `what` is measured and the time that is left: on a terminal; elsewhere nothing.

    `below` the bar stands more.
    """
    if not shows_bars():
        yield NO_PROGRESS
    else:
        with _bar(what, None, clock=clock, every=MEASURING_SECONDS, below=below) as bar:
            yield bar


@contextmanager
def starting(workers: int) -> Iterator[Callable[[int], None]]:
    """Show how many of `workers` are up, as what is returned is told: on a terminal.

    Elsewhere, a line: in a log, what takes long has a name.
    """
    if not shows_bars():
        LOG.info(f"starting workers: {workers}", extra={"event": "starting", "workers": workers})
        yield lambda _up: None
    else:
        with _bar("starting workers", workers, every=NEVER) as bar:
            yield bar.show_at


@contextmanager
def _bar(what: str, total: int | None, *, below: Below | None = None, **how: Any) -> Iterator[Bar]:
    from farm.system.bar import open_bar

    with open_bar(what, total, **how) as bar:
        bar.below = below
        yield bar


@contextmanager
def nobody_told(_workers: int) -> Iterator[Callable[[int], None]]:
    """Show nothing: the default of a farm."""
    yield lambda _up: None


def shows_bars() -> bool:
    """Return whether standard error is a terminal that can draw a line anew.

    Not beside a pipe: its reader may write to the terminal, too, at any moment (`| grep cat`).
    """
    return obeys(sys.stderr) and not writes_json() and not _writes_to_pipe()


def _writes_to_pipe() -> bool:
    try:
        mode = os.fstat(sys.stdout.fileno()).st_mode
    except (OSError, ValueError):  # replaced by what is no file, as in a notebook
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


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
