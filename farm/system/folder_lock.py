"""A folder that is locked for as long as its process lives: what is not, was left behind."""

from __future__ import annotations

import fcntl
import os
import time
from typing import Final

# A folder is unlocked only for the instant in which it is made; this is far more than that.
SURELY_LOCKED_SECONDS: Final = 60.0


def locked(folder: str) -> int:
    """Open and lock a folder; raises OSError if it is locked. The kernel unlocks it with us."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(fd)
        raise
    return fd


def is_new(status: os.stat_result) -> bool:
    """Return whether a folder is so new that its process may not have locked it yet."""
    return time.time() - status.st_mtime < SURELY_LOCKED_SECONDS
