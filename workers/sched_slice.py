"""How soon a thread runs when it wakes up, where the kernel lets threads choose (Linux 6.12)."""

from __future__ import annotations

import ctypes
import os
import platform
import struct
from typing import Final

# linux/sched/types.h: size, policy, flags, nice, priority, runtime, deadline, period, utilisation
# (two). For an ordinary thread `runtime` is its slice, in nanoseconds; sched(7), sched_setattr(2).
ATTRIBUTES: Final = struct.Struct("=IIQiIQQQII")
SHORTEST_NS: Final = 100_000  # what the kernel makes of anything below
# C libraries have the call since glibc 2.41; its numbers are from asm/unistd.h.
SET_ATTRIBUTES: Final = {"x86_64": 314, "aarch64": 274}


def shorten() -> bool:
    """Set the calling thread's slice to the shortest; return False where that is not possible.

    When the thread wakes up, it then preempts one with a longer slice, and does not wait for the
    end of that, which is milliseconds. It gets no more time than before, and needs no privilege.
    Kernels before 6.12 accept the call and change nothing. Threads that it starts inherit it. A
    thread under another policy (chrt(1)) is left there.
    """
    number = SET_ATTRIBUTES.get(platform.machine())
    if number is None or os.sched_getscheduler(0) != os.SCHED_OTHER:
        return False
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    attributes = ATTRIBUTES.pack(
        ATTRIBUTES.size, os.SCHED_OTHER, 0, nice, 0, SHORTEST_NS, 0, 0, 0, 0
    )
    return bool(ctypes.CDLL(None).syscall(number, 0, attributes, 0) == 0)
