"""A running farm, or the board alone, on a terminal: which one, drawn every second or once."""

from __future__ import annotations

import os
import shlex
import sys
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

import click
import psutil

from farm.errors import EXIT_OK, EXIT_USAGE, ConfigError
from farm.system.full_screen import check_screen, full_screen, print_picture
from farm.system.terminal import printable
from farm.watch.board import BoardReader
from farm.watch.history import History
from farm.watch.panes import View
from farm.watch.picture import picture
from farm.watch.running import process_of, running
from farm.watch.snapshot import Snapshot, encode
from farm.watch.viewer import look
from farm.watch.watcher import Watcher

ONCE_SECONDS: Final = 2.0  # for a farm to show itself
BOARD_SECONDS: Final = 0.5  # over which the load of CPUs is measured for a single picture
NO_FARM: Final = "no farm runs here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which farm (`pid` None: the only one, or as asked), one picture only, as JSON."""

    pid: int | None
    once: bool
    as_json: bool


def show(request: Request) -> int:
    """Show a farm until a key, a signal or, with a pid, its end; return the exit code."""
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # a column for a character
    if not request.once:
        check_screen()
    chosen = choose(running(), request.pid, ask=not request.once)
    if request.once:
        show_once(chosen, as_json=request.as_json)
        return EXIT_OK
    with closing(Watcher(chosen, follow=request.pid is None)) as watcher:
        with full_screen() as screen:
            while not watcher.over and "q" not in screen.keys().lower():
                screen.draw(picture(watcher.view(time.time()), *screen.size))
                watcher.wait(screen.fds)
        if watcher.over:
            print_picture(partial(picture, watcher.view(time.time())))
    return EXIT_OK


def choose(addresses: Sequence[str], pid: int | None, *, ask: bool) -> str | None:
    """Return the address of the farm that is meant, None if none runs.

    Of several, a terminal's user is asked; raises ConfigError if nobody is to be, or can be.
    """
    farms = {}
    for address in addresses:
        with suppress(OSError):  # it has just ended
            farms[address] = process_of(address)
    found = [address for address in farms if pid in (None, farms[address])]
    if len(found) == 1 or not (found or pid):
        return found[0] if found else None
    if not found:
        raise ConfigError(f"--pid {pid}: that process runs no farm")
    listed = [f"{farms[address]:>8}  {_command(farms[address])}" for address in found]
    if not (ask and os.isatty(0) and sys.stderr.isatty()):
        raise ConfigError("\n".join(["several farms run; name one with --pid:", *listed]))
    for number, line in enumerate(listed, start=1):
        click.echo(f"{number:>3}  {line}", err=True)
    try:
        number = click.prompt("which farm", type=click.IntRange(1, len(found)), err=True)
    except click.Abort:  # the end of the input
        sys.exit(EXIT_USAGE)
    return found[number - 1]


def show_once(address: str | None, *, as_json: bool) -> None:
    """Print one picture of a farm, or of the board if there is none; raises SnapshotError."""
    seen = look(address, ONCE_SECONDS) if address is not None else _board_alone()
    if as_json:
        print(encode(seen).decode())
    else:
        note = "" if seen.farm is not None else NO_FARM
        history = History().after(seen)
        view = View(snapshot=seen, history=history, now=time.time(), note=note)
        print_picture(partial(picture, view))


def _board_alone() -> Snapshot:
    board = BoardReader()
    board.mark(time.monotonic())
    time.sleep(BOARD_SECONDS)
    return Snapshot(at=time.time(), farm=None, board=board.read(time.monotonic()))


def _command(pid: int) -> str:
    try:
        return printable(shlex.join(psutil.Process(pid).cmdline()))
    except (psutil.Error, ValueError):
        return "?"
