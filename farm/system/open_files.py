"""How many files this process may open. Asked before, as ZeroMQ aborts it where it can not."""

from __future__ import annotations

import errno
import os
import resource


def make_room(count: int) -> None:
    """See to it that `count` more files can be opened now, if need be by raising the limit.

    Raises OSError if they can't. The limit is raised as far as this process may and needs.
    """
    try:
        _open_at_once(count)
    except OSError as error:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if error.errno != errno.EMFILE or soft == hard:
            raise
        limit = soft + count if hard == resource.RLIM_INFINITY else min(soft + count, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
        _open_at_once(count)


def _open_at_once(count: int) -> None:
    opened: list[int] = []
    try:
        opened.extend(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC) for _ in range(count))
    finally:
        for fd in opened:
            os.close(fd)
