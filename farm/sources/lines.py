"""Paths one a line, from a file descriptor as they come."""

from __future__ import annotations

import os
import select
from typing import Final

from farm.errors import SourceError
from farm.sources.base import Ref
from farm.system import encodings
from workers.protocol.messages import FileRef

READ_BYTES: Final = 65536


class LineSource:
    """A source over a file descriptor that carries one path a line."""

    total: int | None = None

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._part = b""
        self._paths: list[bytes] = []
        self._begun = self._ended = False
        self._poll = select.poll()
        self._poll.register(fd, select.POLLIN)
        self.fds: tuple[int, ...] = (fd,)

    @property
    def exhausted(self) -> bool:
        """Whether the last path has been taken."""
        return self._ended and not self._paths

    def take(self, count: int) -> list[Ref]:
        """See Source.take.

        Raises SourceError for what begins as another encoding than UTF-8, or with NUL bytes.
        """
        if not self._paths and not self._ended and self._poll.poll(0):
            data = os.read(self._fd, READ_BYTES)
            self._ended = not data
            read = self._part + data
            if not self._begun:
                if (problem := objection(read)) is not None:
                    raise SourceError(f"standard input: {problem}")
                self._begun = self._ended or b"\n" in read
                read = read.removeprefix(encodings.BOM) if self._begun else read
            *lines, self._part = read.split(b"\n")
            if self._ended:
                lines.append(self._part)
            self._paths = list(filter(None, map(strip_newline, lines)))
        taken, self._paths = self._paths[:count], self._paths[count:]
        return [FileRef(path) for path in taken]


def strip_newline(line: bytes) -> bytes:
    """Return a line without its end, LF or CRLF; blanks belong to the path."""
    return line.rstrip(b"\r\n")


def objection(head: bytes) -> str | None:
    """Return why what begins with `head` is no list of one path a line, and what to do; or None."""
    problem = encodings.objection(head)
    if problem is None and b"\0" in head:
        return "it holds NUL bytes; write one path a line, as `find` does without -print0"
    if problem is None and b"\n" not in head and b"\r" in head.rstrip(b"\r"):
        return r"its lines end in CR alone; convert it: tr '\r' '\n' < OLD > NEW"
    return problem
