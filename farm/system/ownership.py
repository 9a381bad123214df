"""What is this process's alone: children that it forks let go of it.

fork(2) copies all descriptors. With its parent's, a child would keep the parent's run folder
locked, and workers alive that wait for their coordinator's end.
"""

from __future__ import annotations

import os
import threading
from typing import Final, NoReturn, SupportsIndex

from farm.errors import FarmError

# Held from the opening of a descriptor until its owner is registered: a fork waits for that.
opening: Final = threading.RLock()
_owned: set[Owned] = set()
# A child keeps these objects: if they were collected, they might close what is the parent's.
_kept: list[Owned] = []


class Owned:
    """Something for the process that made it; in a forked child it is `disowned`."""

    disowned = False
    _user = -1

    def own(self) -> None:
        """Disown this in every child that is forked from now on."""
        self._user = os.geteuid()
        _owned.add(self)

    def release(self) -> None:
        """Forget this, which is closed."""
        _owned.discard(self)

    def disown(self) -> None:
        """Let go of this in a forked child; nothing that the parent shares may be touched."""
        self.disowned = True

    def check_owned(self) -> None:
        """Raise FarmError in a forked child."""
        if self.disowned:
            raise FarmError(
                "this farm belongs to the process from which this one was forked: open a farm in "
                "this process, or fork before the farm is opened, or let multiprocessing spawn"
            )

    def check_user(self) -> None:
        """Raise FarmError once this process has another user than when it opened this."""
        if os.geteuid() != self._user:  # the sockets and the workers are the first one's
            raise FarmError(
                "this program's user has changed since it opened the farm: open the farm after that"
            )


class Single:
    """Something of which no copy is made: with its copy, it would be closed twice."""

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise FarmError(
            f"a {type(self).__name__} can't be copied or pickled: it has workers and sockets of "
            "its own; open another farm with the same config"
        )


def hollow(*fds: int) -> None:
    """Put /dev/null in place of these descriptors.

    Their numbers stay taken: an object that closes one later closes nobody else's file.
    """
    try:
        null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    except OSError:  # no descriptor is left, or no /dev
        for fd in fds:
            os.close(fd)
        return
    for fd in fds:
        os.dup2(null, fd, inheritable=False)
    os.close(null)


def disown_all() -> None:
    """Let go of everything: this process is a forked child, or ends at once."""
    things = list(_owned)
    _kept.extend(things)
    _owned.clear()
    for thing in things:
        thing.disown()


os.register_at_fork(before=opening.acquire, after_in_parent=opening.release)
os.register_at_fork(after_in_child=opening.release)
os.register_at_fork(after_in_child=disown_all)
