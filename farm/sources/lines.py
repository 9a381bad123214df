"""Paths one a line: from a list file, or from a file descriptor as they come."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from farm.errors import SourceError
from farm.sources.base import Ref
from workers.protocol.messages import FileRef

READ_BYTES: Final = 65536


@dataclass(frozen=True, slots=True)
class PathList:
    """The paths in a list file; each iteration reads it anew, a line at a time.

    Iterating raises SourceError if the file can't be read.
    """

    file: str

    def __iter__(self) -> Iterator[bytes]:
        try:
            with Path(self.file).open("rb") as lines:
                yield from filter(None, map(strip_newline, lines))
        except OSError as error:
            raise SourceError(f"{self.file}: can't be read: {error.strerror}") from error


class LineSource:
    """A source over a file descriptor that carries one path a line."""

    total: int | None = None

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._part = b""
        self._paths: list[bytes] = []
        self._ended = False
        self._poll = select.poll()
        self._poll.register(fd, select.POLLIN)
        self.fds: tuple[int, ...] = (fd,)

    @property
    def exhausted(self) -> bool:
        """Whether the last path has been taken."""
        return self._ended and not self._paths

    def take(self, count: int) -> list[Ref]:
        """See Source.take."""
        if not self._paths and not self._ended and self._poll.poll(0):
            data = os.read(self._fd, READ_BYTES)
            self._ended = not data
            *lines, self._part = (self._part + data).split(b"\n")
            if self._ended:
                lines.append(self._part)
            self._paths = list(filter(None, map(strip_newline, lines)))
        taken, self._paths = self._paths[:count], self._paths[count:]
        return [FileRef(path) for path in taken]


def strip_newline(line: bytes) -> bytes:
    """Return a line without its end, LF or CRLF; blanks belong to the path."""
    return line.rstrip(b"\r\n")
