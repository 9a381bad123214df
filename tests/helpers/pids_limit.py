"""Processes that can't fork, root's included: they are in a cgroup whose limit is reached."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.helpers.cgroup import Cgroup, mounted, temporary, unusable

LIMIT: Final = "pids.max"


class PidsLimit(Cgroup):
    """A cgroup that can forbid its processes new processes and threads (EAGAIN)."""

    def forbid(self) -> None:
        """Let no further process or thread begin."""
        self._set(LIMIT, "0")

    def allow(self) -> None:
        """Lift the limit."""
        self._set(LIMIT, "max")


def why_not() -> str:
    """Why there can be no such cgroup here; empty if there can."""
    return unusable(_parent(), "the pids controller of cgroups")


@contextmanager
def pids_limit() -> Iterator[PidsLimit]:
    """Make such a cgroup; what is in it at the end may fork again, and goes on outside."""
    parent = _parent()
    assert parent is not None
    with temporary(
        parent, settle=f"echo max > {LIMIT}", each='echo "$pid" > ../cgroup.procs'
    ) as path:
        yield PidsLimit(path)


def _parent() -> Path | None:
    """The root of version 1, or of version 2 where that controls pids."""
    unified = Path("/sys/fs/cgroup")
    controls = unified / "cgroup.subtree_control"
    if controls.is_file() and "pids" in controls.read_text(encoding="ascii").split():
        return unified
    return mounted("pids")
