"""The processes of this process's farm, also those whose fork server has died."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.helpers.support import SERVER


class Process(NamedTuple):
    """A living process; `started` is in the kernel's ticks."""

    pid: int
    name: str
    parent: int
    session: int
    started: int


class Crew:
    """Finds them by the fork servers' sessions, which their workers stay in."""

    def __init__(self) -> None:
        self._sessions: set[int] = set()

    def everyone(self) -> list[Process]:
        """All of them."""
        found, us = list(_processes()), os.getpid()
        self._sessions |= {p.session for p in found if (p.parent, p.name) == (us, SERVER)}
        return [process for process in found if process.session in self._sessions]

    def workers(self) -> list[int]:
        """All workers, in the order of their numbers."""
        return sorted(each.pid for each in self.everyone() if each.name.startswith("worker-"))

    def server(self) -> int | None:
        """The present fork server, None if there is none: an earlier one may not have ended."""
        servers = [(each.started, each.pid) for each in self.everyone() if each.name == SERVER]
        return max(servers)[1] if servers else None


def _processes() -> Iterator[Process]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            front, _, back = stat.read_text(encoding="utf-8").rpartition(")")
        except OSError:
            continue
        fields, name = back.split(), front.partition("(")[2]
        if fields[0] != "Z":
            parent, session, started = int(fields[1]), int(fields[3]), int(fields[19])
            yield Process(int(stat.parent.name), name, parent, session, started)
