"""A hub and its boards as a picture for a terminal: what there is room for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from farm.cluster.messages import VERSION
from farm.cluster.offer import SHOWN_DIGITS
from farm.cluster.overview import Overview, models
from farm.cluster.presence import EVERY_SECONDS
from farm.cluster.roster import Seen
from farm.cluster.streams import MB
from farm.system.terminal import UNLIMITED, printable, wrapped
from farm.watch import figures
from farm.watch.marks import BAD, FAINT, HEAD, WARNING, heat

WIDE: Final = 110  # columns from which there is room for what is less often asked for
WIDER: Final = 150
FEWEST_BOARDS: Final = 4  # rows: before there is room for less, other parts leave
MOST_MODELS: Final = 6  # rows, where a picture's height is limited
MOST_RUNS: Final = 3
MOST_LINES: Final = 10_000  # of a screen; more are of what is printed
MOST_REASONS: Final = 2
LONGEST_NAME: Final = 32
NARROW: Final = 4  # columns that a column has at least
NEARLY_FULL: Final = 0.9
LATE_SECONDS: Final = 2.5 * EVERY_SECONDS
NO_BOARD: Final = "no board"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What is to be seen of the hub at `address`, and when it is (`now`, seconds since 1970).

    `join` is what a board types to join, `note` what is unusual, `keys` what a user can do.
    """

    address: str
    overview: Overview
    now: float
    join: str
    note: str = ""
    keys: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a picture, and how many lines it has."""

    lines: int
    what: RenderableType


def picture(view: View, width: int, height: int = UNLIMITED) -> RenderableType:
    """Return what a terminal of this size shows of a view: at most `height` lines."""
    overview = view.overview
    head = [_line(head_line(view), HEAD), *notes(view, width), Text("")]
    below = [models_part(overview, height), store_part(overview), runs_part(overview, height)]
    if view.keys:
        below.append(Part(1, _line(view.keys, FAINT)))
    room, kept = height - len(head) - 1, []
    for part in below:
        left = room - part.lines - 1
        if part.lines and left >= min(FEWEST_BOARDS, len(overview.boards)):
            room = left
            kept += [Text(""), part.what]
    return Group(*head, boards_part(view, width, room), *kept)


def head_line(view: View) -> str:
    """Tell which hub it is and what its boards do together."""
    said = view.address
    for simulated in (False, True):
        found = [
            each.board for each in view.overview.boards if each.board.offer.simulated == simulated
        ]
        if found or not (simulated or view.overview.boards):
            kind = f"{'simulated ' * simulated}board{'s' * (len(found) != 1)}"
            rate = figures.rate(sum(board.rate for board in found))
            said += f"  {figures.count(len(found))} {kind} {rate}"
    return said


def notes(view: View, width: int) -> list[RenderableType]:
    """Tell what is unusual about this view."""
    overview, told = view.overview, [view.note] if view.note else []
    for why, count in sorted(overview.refused.items(), key=lambda each: -each[1])[:MOST_REASONS]:
        told.append(f"{figures.count(count)} left out of the boards: {why[:width]}")
    if other := {each.board.offer.version for each in overview.boards} - {VERSION}:
        versions = ", ".join(map(str, sorted(other)))
        told.append(f"boards whose messages have version {versions} can't work for {VERSION}")
    if overview.strays:
        told.append(
            f"messages at this hub that are of no npu-farm: {figures.count(overview.strays)}"
        )
    return [_line(line, WARNING) for line in wrapped(map(printable, told), width, indent=0)]


def boards_part(view: View, width: int, rows: int) -> RenderableType:
    """Return the table of boards, `rows` at most, or what to do where there is none."""
    boards = view.overview.boards
    if not boards:
        # What is printed can be copied as one line, however long; on a screen it must fit.
        printed = rows > MOST_LINES
        said = f"No board is at this hub. On each board:\n  {view.join}"
        return Text(said, no_wrap=printed, overflow="ignore" if printed else "fold")
    columns = [each for each in COLUMNS if width >= each.needs]
    table = _table(*((each.head, each.is_figure) for each in columns))
    shown = boards if len(boards) <= rows else boards[: max(0, rows - 1)]
    since = view.now - view.overview.at
    for seen in shown:
        older = replace(seen, age=seen.age + since)
        table.add_row(*(each.cell(older) for each in columns))
    more = len(boards) - len(shown)
    return Group(table, _line(f"... and {figures.count(more)} more")) if more else table


def models_part(overview: Overview, height: int) -> Part:
    """Return what there is of each model; where `height` has a limit, of some."""
    table = _table(
        *(("model", False), ("boards", True), ("images/s", True)),
        *(("jobs waiting", True), ("in flight", True)),
    )
    found = models(overview)
    for each in found if height > MOST_LINES else found[:MOST_MODELS]:
        name = Text(NO_BOARD, BAD) if each.model is None else _model(each.model, each.simulated)
        table.add_row(
            *(name, figures.count(each.boards), figures.digits(each.rate)),
            *(figures.count(each.waiting), figures.count(each.in_flight)),
        )
    return Part(table.row_count + 1 if found else 0, table)


def runs_part(overview: Overview, height: int) -> Part:
    """Return the runs of which the hub holds something; where `height` has a limit, some."""
    table = _table(("run", False), ("jobs", True), ("results waiting", True))
    runs = sorted(overview.runs, key=lambda each: (-each.results, -each.jobs, each.run))
    for each in runs if height > MOST_LINES else runs[:MOST_RUNS]:
        table.add_row(each.run, figures.count(each.jobs), figures.count(each.results))
    return Part(table.row_count + 1 if runs else 0, table)


def store_part(overview: Overview) -> Part:
    """Tell how much the hub holds, and could hold."""
    said = Text("store: ", no_wrap=True, overflow="ellipsis")
    for each in overview.stores:
        used, limit = figures.digits(each.used / MB), figures.count(round(each.limit / MB))
        style = BAD if each.limit and each.used > NEARLY_FULL * each.limit else ""
        comma = ", " * (each is not overview.stores[-1])
        said.append(f"{each.name} {used} of {limit} MB", style).append(comma)
    return Part(1, said)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the boards' table, from how many columns of a terminal on it is there."""

    head: str
    needs: int
    is_figure: bool
    cell: Callable[[Seen], Text]


COLUMNS: Final = (
    Column("board", 0, False, lambda seen: _name(seen.board.board)),
    Column(
        "model", 40, False, lambda seen: _model(seen.board.offer.name, seen.board.offer.simulated)
    ),
    Column(
        "content", WIDER, False, lambda seen: Text(seen.board.offer.model[:SHOWN_DIGITS] or "-")
    ),
    Column("task", WIDE, False, lambda seen: _name(seen.board.offer.task)),
    Column("platform", 70, False, lambda seen: _name(seen.board.offer.platform)),
    Column("runtimes", WIDER, True, lambda seen: Text(figures.count(seen.board.size))),
    Column("by path", WIDER, False, lambda seen: Text("yes" if seen.board.offer.by_path else "no")),
    Column("images/s", 0, True, lambda seen: Text(figures.digits(seen.board.rate))),
    Column("ok", WIDE, True, lambda seen: Text(figures.count(seen.board.ok))),
    Column("failed", WIDE, True, lambda seen: failed(seen.board.failed)),
    Column("held", 80, True, lambda seen: Text(f"{seen.board.held}/{seen.board.window}")),
    Column("NPU", 50, True, lambda seen: load(seen.board.npu_load)),
    Column("°C", 60, True, lambda seen: temperature(seen.board.hottest)),
    Column("up", WIDER, True, lambda seen: Text(figures.ago(seen.board.at - seen.board.started))),
    Column("seen", 50, True, lambda seen: age(seen.age)),
)


def failed(images: int) -> Text:
    """Return how many images ended with an error."""
    return Text(figures.count(images), BAD if images else "")


def load(cores: Sequence[float] | None) -> Text:
    """Return the mean load of a board's NPU cores."""
    return Text(figures.share(min(1.0, sum(cores) / len(cores))) if cores else "-")


def temperature(degrees: float | None) -> Text:
    """Return a temperature, in a colour if it is high."""
    return Text("-") if degrees is None else Text(f"{degrees:.0f}", heat(degrees))


def age(seconds: float) -> Text:
    """Return how long ago a board said something; a colour says that this is long."""
    return Text(figures.ago(seconds), WARNING if seconds > LATE_SECONDS else "")


def _name(text: str) -> Text:
    return Text(printable(text)[:LONGEST_NAME], no_wrap=True, overflow="ellipsis")


def _model(name: str, simulated: bool) -> Text:
    return _name(name).append(" (simulated)" * simulated, WARNING)


def _line(text: str, style: str = "") -> Text:
    return Text(text, style, no_wrap=True, overflow="ellipsis")


def _table(*heads: tuple[str, bool]) -> Table:
    """Return a table without rows; each head and whether figures stand below it."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style=HEAD)
    for head, is_figure in heads:
        # Where there is no room, names get shorter, figures stay.
        table.add_column(
            head, justify="right" if is_figure else "left", no_wrap=is_figure, min_width=NARROW
        )
    return table
