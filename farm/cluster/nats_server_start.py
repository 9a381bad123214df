"""What becomes a hub's server: run by its path, with a parent's number and a command.

A program of its own, as a process with threads must not run Python between fork and exec.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Final

PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h


def main(parent: int, command: list[str]) -> None:
    """Become the command; it gets SIGTERM when the parent ends, whatever ends it."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGTERM), 0, 0, 0)
    if os.getppid() != parent:  # it has ended already
        sys.exit(1)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())  # the parent's thread for signals blocks them
    os.execv(command[0], command)  # noqa: S606 - the program that find_server found


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
