"""A source over a file descriptor that gives one path a line."""

from __future__ import annotations

import os
import select
import stat
from typing import Final

from farm.sources.base import Ref
from workers.protocol.messages import FileRef

READ_BYTES: Final = 65536


class LineSource:
    """A source over a file descriptor that gives one path a line, as they come."""

    total: int | None = None

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._part = b""
        self._lines: list[bytes] = []
        self._ended = False
        self.fds: tuple[int, ...] = (fd,)

    @property
    def exhausted(self) -> bool:
        """Whether the last line has been given."""
        return self._ended and not self._lines

    def take(self, count: int) -> list[Ref]:
        """See Source.take."""
        if not self._lines and not self._ended and _readable(self._fd):
            self._read()
        taken, self._lines = self._lines[:count], self._lines[count:]
        return [FileRef(line) for line in taken]

    def _read(self) -> None:
        data = os.read(self._fd, READ_BYTES)
        self._ended = not data
        *whole, self._part = (self._part + data).split(b"\n")
        if self._ended and self._part:
            whole, self._part = [self._part], b""
        self._lines = [line for line in map(path_in, whole) if line]


def path_in(line: bytes) -> bytes:
    """The path that one line of a list holds: the line without its end."""
    return line.rstrip(b"\r\n")


def _readable(fd: int) -> bool:
    """Whether a read of `fd` returns at once; always so for a file."""
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return True
    poller = select.poll()
    poller.register(fd, select.POLLIN)
    return bool(poller.poll(0))
