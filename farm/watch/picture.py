"""A farm and its board as a picture for a terminal: what there is room for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from farm.system.terminal import UNLIMITED
from farm.watch.panes import WIDE, Panes, View, workers_table
from farm.watch.snapshot import FarmFacts
from farm.watch.worker_rows import Row, rows

BARS_ALONE: Final = 14  # lines that a board's picture has beside those of its CPUs
# Ranks: where not all lines have room, those of the highest rank leave first.
ALWAYS: Final = 0
FOLDED: Final = 4  # before a line of this rank leaves, workers are shown together
BLANK: Final = 9


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a picture and its rank."""

    rank: int
    what: RenderableType


def picture(view: View, width: int, height: int = UNLIMITED) -> RenderableType:
    """Return what a terminal of this size shows of a view: at most `height` lines."""
    panes, farm = Panes(view), view.snapshot.farm
    head = [Line(ALWAYS, panes.head()), *_lines(ALWAYS, panes.note(width)), _BLANK]
    keys = [_BLANK, *_lines(7, panes.keys())] if view.keys else []
    if farm is None:
        load = [*_lines(1, panes.npu(width)), *_lines(4, panes.cpus(height - BARS_ALONE))]
        lines = [*head, *_beside(load, _board(panes), width), *keys]
        return Group(*_fitting(lines, height))
    above = [*head, *_beside(*_figures(panes, farm, width), width)]
    above += [Line(8, panes.command(farm)), _BLANK]
    told = [Line(3 if at == 0 else 6, each) for at, each in enumerate(panes.warnings(farm))]
    below = [*([_BLANK] if told else []), *told, *keys]
    rank, workers = _room(view, farm, [*above, *below], height)
    table = [workers_table(workers, width)] if workers else []
    shown = [[each.what for each in part if each.rank <= rank] for part in (above, below)]
    return Group(*shown[0], *table, *shown[1])


_BLANK: Final = Line(BLANK, Text(""))


def _lines(rank: int, found: Iterable[RenderableType]) -> list[Line]:
    return [Line(rank, each) for each in found]


def _figures(panes: Panes, farm: FarmFacts, width: int) -> tuple[list[Line], list[Line]]:
    """Return the lines about a farm, and those about its board."""
    wide = width >= WIDE
    left = [
        Line(1, panes.rate(farm)),
        Line(2, panes.images(farm)),
        Line(3, panes.queue(farm)),
        *_lines(5, panes.losses(farm)),
        Line(2, panes.latency(farm, ("total",) if wide else ("total", "infer"))),
        *_lines(1, panes.npu(width // 2 if wide else width)),
    ]
    right = [*_lines(5, panes.cpus(0)), *_board(panes)]
    return left, [*_lines(7, panes.stages(farm)), *right] if wide else right


def _board(panes: Panes) -> list[Line]:
    return [
        Line(6, panes.memory()),
        *_lines(4, panes.temperatures()),
        *_lines(5, panes.clocks()),
    ]


def _beside(left: list[Line], right: list[Line], width: int) -> list[Line]:
    """Return the lines below each other or, on a wide terminal, beside each other."""
    if width < WIDE:
        return [*left, *right]
    both = []
    for one, other in zip_longest(left, right, fillvalue=_BLANK):
        line = Table.grid(expand=True, padding=(0, 3, 0, 0))
        line.add_column(ratio=1)
        line.add_column(ratio=1)
        line.add_row(one.what, other.what)
        both.append(Line(min(one.rank, other.rank), line))
    return both


def _fitting(lines: list[Line], height: int) -> list[RenderableType]:
    ranks = range(BLANK, ALWAYS, -1)
    rank = next((r for r in ranks if sum(each.rank <= r for each in lines) <= height), ALWAYS)
    return [each.what for each in lines if each.rank <= rank]


def _room(view: View, farm: FarmFacts, lines: list[Line], height: int) -> tuple[int, list[Row]]:
    """Return the highest rank for which there is room, and the rows of workers in what is left.

    Each worker has its row if that takes no line of a rank up to FOLDED.
    """
    found: list[Row] = []
    for lowest in (FOLDED, ALWAYS):
        for rank in range(BLANK, lowest - 1, -1):
            room = height - sum(each.rank <= rank for each in lines) - 1  # the table's head
            found = rows(farm.workers, view.history, max(0, room))
            if len(found) <= room and (lowest == ALWAYS or len(found) == len(farm.workers)):
                return rank, found
    return ALWAYS, []
