"""Processes that SIGKILL does not end, as in a driver that hangs: they are in a frozen cgroup.

That takes version 1 of cgroups. SIGKILL ends what version 2 has frozen, and what SIGSTOP has
stopped.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tests.helpers.cgroup import Cgroup, mounted, temporary, unusable
from tests.helpers.support import wait_for

STATE: Final = "freezer.state"


class Freezer(Cgroup):
    """A cgroup whose processes can be frozen and thawed."""

    def freeze(self, *, wait: bool = True) -> None:
        """Hold all that are in it; returns when they are held, unless told not to wait for that.

        A thread that waits in the kernel, as for a file in a FUSE mount, is held when that ends.
        """
        self._set(STATE, "FROZEN")
        state = self._path / STATE
        assert not wait or wait_for(lambda: state.read_text(encoding="ascii") == "FROZEN\n")

    def thaw(self) -> None:
        """Let them go on, or die of what they have been sent."""
        self._set(STATE, "THAWED")


def why_not() -> str:
    """Why there can be no freezer here; empty if there can."""
    return unusable(mounted("freezer"), "the freezer of cgroups, version 1,")


@contextmanager
def freezer() -> Iterator[Freezer]:
    """Make a freezer; what is in it at the end is thawed and killed."""
    parent = mounted("freezer")
    assert parent is not None
    with temporary(parent, settle=f"echo THAWED > {STATE}", each='kill -9 "$pid"') as path:
        yield Freezer(path)
