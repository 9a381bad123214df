"""Whether libjpeg complained of broken data while this thread decoded a JPEG.

OpenCV gives the picture all the same, grey or shifted from the damage on, and passes over the
complaint, which libjpeg prints on standard error: one write, by the decoding thread, of its
first complaint only. The kernel counts the bytes that each thread writes, decoding writes
nothing else, and the length tells the message. So nothing is redirected, where another thread's
words could be lost, and several decoders do not disturb each other.
"""

from __future__ import annotations

import os
import threading
from typing import Final

COUNTERS: Final = "/proc/thread-self/io"  # the line "wchar: N": proc(5)
COUNTERS_BYTES: Final = 512
# From libjpeg's jerror.h, as printed since 1991. Left out is what good files give, too:
# "N extraneous bytes before marker 0xd9" (some cameras pad), "Invalid SOS parameters".
DAMAGE: Final = (
    "Corrupt JPEG data: premature end of data segment\n",
    "Corrupt JPEG data: found marker 0xd9 instead of RST0\n",  # all of this length are of this kind
    "Corrupt JPEG data: bad Huffman code\n",
    "Premature end of JPEG file\n",
)
LENGTHS: Final = frozenset(map(len, DAMAGE))

_thread = threading.local()  # the open file of each decoder; they live as long as the process


def written() -> int:
    """How many bytes this thread has written in its life; 0 where the kernel does not count."""
    try:
        if not hasattr(_thread, "counters"):
            _thread.counters = os.open(COUNTERS, os.O_RDONLY | os.O_CLOEXEC)
        lines = os.pread(_thread.counters, COUNTERS_BYTES, 0).split()
        return int(lines[lines.index(b"wchar:") + 1])
    except (OSError, ValueError):
        return 0


def complained(before: int) -> bool:
    """Whether libjpeg spoke of damage since `written` gave `before`, in this thread."""
    return written() - before in LENGTHS
