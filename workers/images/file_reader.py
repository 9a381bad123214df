"""Reads an image file: all of it, up to a limit, or the reason why not."""

from __future__ import annotations

import errno
import os
import stat
from typing import Final

from workers.errors import ImageError

# O_NONBLOCK: opening a FIFO that nobody writes to would block for ever. O_NOCTTY: a terminal that
# the leader of a session opens would become its own.
FLAGS: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
CHUNK: Final = 65536  # for what comes after the file's stated size: mostly nothing
# What an uncompressed file takes, with alpha; and room for thumbnails and profiles.
BYTES_PER_PIXEL: Final = 4
ROOM: Final = 16 << 20

KNOWN: Final = {
    errno.ENOENT: ("missing", "no such file"),
    errno.ENOTDIR: ("missing", "no such file"),
    errno.EACCES: ("unreadable", "no permission to read it; see `ls -l`"),
    errno.ENXIO: ("not_a_file", "not a regular file"),
    errno.ELOOP: ("unreadable", "a symbolic link that leads back to itself"),
}


def most_bytes(max_pixels: int) -> int:
    """Return how many bytes the file of an image of so many pixels has at most."""
    return BYTES_PER_PIXEL * max_pixels + ROOM


def read(path: bytes, max_bytes: int) -> bytes:
    """Read an image file whole, `max_bytes` bytes at max_bytes; raise ImageError.

    That is for a file that is missing, not permitted, too large or not regular, and for one that
    changes meanwhile: half of the old and half of the new may well decode, to a wrong picture.
    """
    try:
        _check_regular(os.stat(path))  # before opening: that alone starts a watchdog's countdown
        fd = os.open(path, FLAGS)
        try:
            return _read_all(fd, max_bytes)
        finally:
            os.close(fd)
    except (OSError, ValueError) as error:
        raise why_not(error) from error


def why_not(error: OSError | ValueError) -> ImageError:
    """Return what to say of a path with which the system's functions have failed so."""
    if isinstance(error, ValueError):
        return ImageError("unreadable", "no path can have a NUL byte in it")
    # Without the path that str(error) repeats: the item has it, and escaped.
    unknown = ("unreadable", f"can't be read: {error.strerror}")
    return ImageError(*KNOWN.get(error.errno or 0, unknown))


def _check_regular(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise ImageError("not_a_file", "not a regular file")


def _read_all(fd: int, max_bytes: int) -> bytes:
    before = os.fstat(fd)
    _check_regular(before)  # it may have been replaced since
    stated, parts, size = before.st_size, [], 0
    # Files in /proc state no size, others may grow: only an empty read is the end.
    while max(stated, size) <= max_bytes and (part := os.read(fd, max(stated - size, CHUNK))):
        parts.append(part)
        size += len(part)
    if max(stated, size) > max_bytes:
        held = f"{stated}" if stated > max_bytes else f"more than {max_bytes}"
        raise ImageError(
            "too_large",
            f"{held} bytes; max_pixels allows {max_bytes}, raise it in the config to read this",
        )
    after = os.fstat(fd)
    if (after.st_size, after.st_mtime_ns) != (stated, before.st_mtime_ns):
        raise ImageError("changed", "it was written to while it was read; try again later")
    return b"".join(parts)
