"""The processes of this process's farm, also those whose fork server has died."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from tests.helpers.support import SERVER


class Crew:
    """Finds them by the fork server's session, which its workers stay in."""

    def __init__(self) -> None:
        self._sessions: set[int] = set()

    def server(self) -> int | None:
        """The present fork server, None if there is none."""
        us = os.getpid()
        for pid, parent, session, name in _processes():
            if (parent, name) == (us, SERVER):
                self._sessions.add(session)
                return pid
        return None

    def workers(self) -> list[int]:
        """All living workers, in the order of their numbers."""
        return sorted(pid for pid, name in self.everyone() if name.startswith("worker-"))

    def everyone(self) -> list[tuple[int, str]]:
        """All living processes with their names."""
        self.server()
        return [(p, name) for p, _, session, name in _processes() if session in self._sessions]


def _processes() -> Iterator[tuple[int, int, int, str]]:
    """Every living process: its number, its parent's, its session's, its name."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            front, _, back = stat.read_text(encoding="utf-8").rpartition(")")
        except OSError:
            continue
        state, parent, _, session = back.split()[:4]
        if state != "Z":
            yield int(stat.parent.name), int(parent), int(session), front.partition("(")[2]
