"""The processes of this process's farm, also those whose fork server has died."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from workers import forkserver

OF_A_SERVER: Final = forkserver.__name__.encode()  # is in its command line


class Process(NamedTuple):
    """A living process; `started` is in the kernel's ticks."""

    pid: int
    parent: int
    session: int
    started: int


class Crew:
    """Finds them by the fork servers' sessions, which their workers stay in.

    Not by their names, which are missing where /proc is read-only.
    """

    def __init__(self) -> None:
        self._servers: set[int] = set()

    def everyone(self) -> list[Process]:
        """All of them."""
        found, us = list(_processes()), os.getpid()
        leaders = [each.pid for each in found if each.parent == us and each.pid == each.session]
        self._servers |= {pid for pid in leaders if OF_A_SERVER in _command_line(pid)}
        return [process for process in found if process.session in self._servers]

    def workers(self) -> list[int]:
        """All workers, in the order of their numbers."""
        return sorted(each.pid for each in self.everyone() if each.pid != each.session)

    def server(self) -> int | None:
        """The present fork server, None if there is none: an earlier one may not have ended."""
        servers = [each for each in self.everyone() if each.pid == each.session]
        return max(servers, key=lambda each: each.started).pid if servers else None


def _processes() -> Iterator[Process]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            pid = int(stat.parent.name)
            yield Process(pid, int(fields[1]), int(fields[3]), int(fields[19]))


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
