"""A hub and its boards on a terminal: drawn every second, or printed once."""

from __future__ import annotations

import select
import sys
import time
from dataclasses import dataclass
from functools import partial
from typing import Final

import msgspec

from farm.cluster.access import Access
from farm.cluster.hub_picture import View, picture
from farm.cluster.hub_watcher import HubWatcher
from farm.cluster.overview import Overview
from farm.errors import EXIT_OK
from farm.system.full_screen import check_screen, full_screen, print_picture
from farm.system.terminal import printable
from farm.watch import figures

SECOND: Final = 1.0
STALE_SECONDS: Final = 4.0
NAME: Final = "npu-farm boards"  # what the hub's administrator sees


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which hub, what a board types to `join` it, one picture only, as JSON."""

    access: Access
    join: str
    once: bool
    as_json: bool


def show(request: Request) -> int:
    """Show a hub until a key or a signal; return the exit code. Raises FarmError."""
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # a column for a character
    if not request.once:
        check_screen()
    with HubWatcher(request.access, NAME, SECOND) as hub:
        if request.as_json:
            print(msgspec.json.encode(hub.newest()).decode())
        elif request.once:
            print_picture(partial(picture, view(request, hub.newest(), time.time())))
        else:
            watch(request, hub)
    return EXIT_OK


def watch(request: Request, hub: HubWatcher) -> None:
    """Draw a hub until a key."""
    with full_screen() as screen:
        while "q" not in screen.keys().lower():
            screen.draw(picture(view(request, hub.newest(), time.time()), *screen.size))
            select.select([hub.fd, *screen.fds], (), (), SECOND)


def view(request: Request, overview: Overview, now: float) -> View:
    """Return what is to be seen `now` (seconds since 1970)."""
    age = now - overview.at
    return View(
        address=printable(str(request.access)),
        overview=overview,
        now=now,
        join=request.join,
        note=f"nothing new for {figures.ago(age)}: the hub is away" * (age >= STALE_SECONDS),
        keys="" if request.once else "q: leave",
    )
