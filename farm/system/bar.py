"""A progress bar on standard error, drawn by whoever makes the progress: it has no thread."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.segment import Segment, Segments
from rich.theme import Theme

if TYPE_CHECKING:
    from farm.system.progress import Clock

BAR_SECONDS: Final = 0.25
BAR_WIDTH: Final = 20  # columns: all fits into 80
# Not in rich's colours, of which one is red: a colour has a meaning here.
BAR_STYLES: Final = {
    "bar.back": "bright_black",  # what is to come: faint on black and on white
    "bar.complete": "none",
    "bar.finished": "none",
    "bar.pulse": "none",
    "progress.download": "none",
    "progress.remaining": "none",
}
BELOW_SECONDS: Final = 0.75  # drawing it costs twice as much as the bar alone: 3 ms
FIRST_SECONDS: Final = 0.1  # a rate over less says nothing
BELOW_WIDTH: Final = 80  # columns
FEWEST_LINES: Final = 16  # of a terminal for more than the bar

Below: TypeAlias = Callable[[int], RenderableType]  # of a width


@contextmanager
def open_bar(
    what: str,
    total: int | None,
    *,
    done: int = 0,
    every: float = BAR_SECONDS,
    clock: Clock | None = None,
) -> Iterator[Bar]:
    """Show a bar for `what`, of which `done` is done already, until the block ends.

    It is drawn anew `every` so many seconds, or, if that is inf, when it is told.
    """
    rate = TextColumn("{task.fields[rate]:.0f}/s")
    how_far: tuple[ProgressColumn, ...] = (MofNCompleteColumn(), rate, TimeRemainingColumn())
    if clock is not None:
        how_far = (rate, TextColumn("at most {task.fields[left]}"))
    elif math.isinf(every):
        how_far = (MofNCompleteColumn(),)
    with _Display(
        TextColumn("{task.description}"), BarColumn(BAR_WIDTH), *how_far,
        console=Console(stderr=True, theme=Theme(BAR_STYLES)), transient=True, auto_refresh=False,
        redirect_stdout=False,
    ) as display:  # fmt: skip
        task = display.add_task(what, total=total, completed=done, rate=0.0, left="", visible=False)
        bar = Bar(display, task, done, every, clock)
        bar.show(time.monotonic())
        yield bar
        bar.show(time.monotonic())


class _Display(Progress):
    """A bar, and lines below it, which stay as they are until there are others."""

    below: RenderableType | None = None

    def get_renderables(self) -> Iterable[RenderableType]:
        yield from super().get_renderables()
        if self.below is not None:
            yield self.below

    def draw_below(self, below: Below) -> None:
        """Draw what is shown below the bar from now on; nothing on a small terminal."""
        self.below = None
        try:
            columns, lines_here = os.get_terminal_size(self.console.file.fileno())
        except OSError:  # it is gone; a signal comes with that
            return
        if lines_here >= FEWEST_LINES:
            width = min(BELOW_WIDTH, columns)
            options = self.console.options.update(width=width)
            lines = self.console.render_lines(below(width), options, pad=False)
            self.below = Segments(
                [segment for line in lines for segment in (*line, Segment.line())]
            )


class Bar:
    """Counts what is done, and shows it from time to time.

    What `below` returns is shown below it, with every second bar, twice a second at most.
    """

    below: Below | None = None

    def __init__(
        self, display: _Display, task: TaskID, before: int, every: float, clock: Clock | None
    ) -> None:
        self._display, self._task, self._before, self._every = display, task, before, every
        self._clock = clock
        self._done = self._skipped = 0
        self._begun = self._shown = time.monotonic()
        self._next_below = self._begun + BELOW_SECONDS

    def advance(self, *, skipped: int = 0) -> None:
        """See farm.system.progress.Progress."""
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
        self._shown, seconds = now, now - self._begun
        told: dict[str, Any] = {"completed": self._before + self._done + self._skipped}
        if (clock := self._clock) is not None:
            at, left = clock.passed + seconds, max(0.0, clock.left - seconds)
            told = {"completed": at, "total": at + left, "left": timedelta(seconds=round(left))}
        if self.below is not None and now >= self._next_below:
            self._next_below = now + max(BELOW_SECONDS, 2 * self._every)
            self._display.draw_below(self.below)
        rate = self._done / max(seconds, FIRST_SECONDS)
        self._display.update(self._task, **told, rate=rate, visible=True, refresh=True)
