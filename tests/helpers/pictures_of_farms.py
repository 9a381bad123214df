"""What a terminal would show of a farm: views made by hand, as plain text."""

from __future__ import annotations

import io
from typing import Any

from msgspec.structs import replace
from rich.console import Console, RenderableType

from farm.watch.history import History
from farm.watch.panes import View
from farm.watch.snapshot import Snapshot
from tests.helpers.snapshots import a_board, a_farm, a_worker

BEGUN = 1_790_000_000.0


def view(workers: int = 3, *, seconds: int = 30, note: str = "", **farm: Any) -> View:
    """A farm after so many seconds, in which its rate has risen from second to second."""
    history, last = History(), board_view().snapshot
    for second in range(seconds + 1):
        done = 10 * second * second
        slots = tuple(a_worker(index, images=done // 4) for index in range(workers))
        made = {"ok": done, "workers": slots, "started": BEGUN, **farm}
        last = replace(last, at=BEGUN + second, farm=replace(a_farm(), **made))
        history = history.after(last)
    return View(snapshot=last, history=history, now=last.at + 1, note=note, keys="q: leave")


def board_view(**board: Any) -> View:
    """A board on which no farm runs."""
    snapshot = Snapshot(at=BEGUN, farm=None, board=a_board(**board))
    return View(snapshot=snapshot, history=History(), now=BEGUN)


def text_of(what: RenderableType, width: int, *, encoding: str = "utf-8") -> list[str]:
    """Return the lines that a terminal without colours shows."""
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="replace", write_through=True)
    console = Console(file=file, width=width, color_system=None, _environ={})
    console.print(what)
    assert isinstance(file.buffer, io.BytesIO)
    return [line.rstrip() for line in file.buffer.getvalue().decode(encoding).splitlines()]
