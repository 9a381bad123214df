"""Why the system starts no process, in a user's words."""

from __future__ import annotations

import errno
from typing import Final

TOO_MANY_FILES: Final = "this program may open no more files; close some, or raise `ulimit -n`"
WHY: Final = {
    errno.EAGAIN: "the limit of processes is reached: `ulimit -u`, or pids.max of the container",
    errno.EMFILE: TOO_MANY_FILES,
    errno.ETOOMANYREFS: TOO_MANY_FILES,
    errno.ENFILE: "this machine can open no more files: `sysctl fs.file-max`",
    errno.ENOMEM: "there is no memory left for a process",
}


def why_no_process(error: OSError) -> str:
    """Return why a process could not be started, with the limit that was reached, if any."""
    return WHY.get(error.errno or 0, str(error))
