"""An image file's bytes: all of them and no more than were asked for, or why there are none."""

from __future__ import annotations

import errno
import os
import stat
from typing import Final

from workers.errors import ImageError

# O_NONBLOCK: opening a FIFO that nobody writes to would block for ever. O_NOCTTY: a worker leads
# its session, and the terminal it opens would become its own.
FLAGS: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
CHUNK: Final = 65536  # for what comes after the size that the file tells: mostly nothing


def read(path: bytes, most: int) -> bytes:
    """Read an image file whole, `most` bytes at most; raises ImageError.

    That is for a file that is missing, barred, too large or no regular file, and for one that
    changes meanwhile: half of the old and half of the new may well be a picture, a wrong one.
    """
    try:
        _must_be_a_file(os.stat(path))  # before opening: that alone starts a watchdog's countdown
        fd = os.open(path, FLAGS)
        try:
            return _whole(fd, most)
        finally:
            os.close(fd)
    except (OSError, ValueError) as error:
        raise _unreadable(error) from error


def _whole(fd: int, most: int) -> bytes:
    before = os.fstat(fd)
    _must_be_a_file(before)  # it may have been replaced since
    if before.st_size > most:
        raise _too_large(f"{before.st_size}", most)
    parts, size = [], 0
    # Files in /proc tell no size, others may grow: only an empty read is the end.
    while part := os.read(fd, max(before.st_size - size, CHUNK)):
        parts.append(part)
        size += len(part)
        if size > most:
            raise _too_large(f"more than {most}", most)
    if _version(os.fstat(fd)) != _version(before):
        raise ImageError("changed", "it was written to while it was read; try again later")
    return b"".join(parts)


def _must_be_a_file(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise ImageError("not_a_file", "not a regular file")


def _version(status: os.stat_result) -> tuple[int, int]:
    return status.st_size, status.st_mtime_ns


def _too_large(size: str, most: int) -> ImageError:
    return ImageError(
        "too_large", f"{size} bytes; max_pixels allows {most}, raise it in the config to read this"
    )


_WORDS: Final = {
    errno.ENOENT: ("missing", "no such file"),
    errno.ENOTDIR: ("missing", "no such file"),
    errno.EACCES: ("unreadable", "no permission to read it; see `ls -l`"),
    errno.ENXIO: ("not_a_file", "not a regular file"),
    errno.ELOOP: ("unreadable", "a symbolic link that leads back to itself"),
}


def _unreadable(error: OSError | ValueError) -> ImageError:
    code = error.errno if isinstance(error, OSError) else None
    # Without the path that str(error) repeats: the item has it, and escaped.
    words = error.strerror if isinstance(error, OSError) else error
    return ImageError(*_WORDS.get(code or 0, ("unreadable", f"can't be read: {words}")))
