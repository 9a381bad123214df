"""Paths one a line, from a file descriptor as they come."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO, Final

from farm.errors import SourceError
from farm.sources.base import Ref, path_ref
from farm.system import encodings

HEAD_BYTES: Final = 65536  # what is looked at before the first line is taken for a path
EMPTY: Final = "no images in it: the list is empty"


class LineSource:
    """A source over a file descriptor that carries one path a line."""

    total: int | None = None
    blocks = False

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._part = b""
        self._paths: list[bytes] = []
        self._begun = self._ended = False
        self._empty = True  # no path has come yet
        self._poll = select.poll()
        self._poll.register(fd, select.POLLIN)
        self.fds: tuple[int, ...] = (fd,)

    @property
    def exhausted(self) -> bool:
        """Whether the last path has been taken."""
        return self._ended and not self._paths

    def take(self, count: int) -> list[Ref]:
        """See Source.take.

        Raises SourceError for what begins as another encoding than UTF-8, or with NUL bytes, for
        what ends without a path, and for what can't be read.
        """
        if not self._paths and not self._ended and self._poll.poll(0):
            self._read()
        taken, self._paths = self._paths[:count], self._paths[count:]
        return [path_ref(path) for path in taken]

    def _read(self) -> None:
        try:
            data = os.read(self._fd, HEAD_BYTES)
        except OSError as error:
            raise SourceError(f"standard input: can't be read: {error.strerror}") from error
        self._ended = not data
        read = self._part + data
        if not self._begun:
            if (problem := objection(read)) is not None:
                raise SourceError(f"standard input: {problem}")
            self._begun = self._ended or b"\n" in read
            read = read.removeprefix(encodings.BOM) if self._begun else read
        lines = read.split(b"\n")
        # What is beyond any path is dropped: a line may have no end.
        self._part = b"" if self._ended else lines.pop()[:HEAD_BYTES]
        self._paths = list(filter(None, map(strip_newline, lines)))
        self._empty = self._empty and not self._paths
        if self._ended and self._empty:
            raise SourceError(f"standard input: {EMPTY}")


def read_lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a file; of one that is longer than any path, its beginning."""
    read = partial(file.readline, HEAD_BYTES)
    for line in iter(read, b""):
        yield line
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = read()


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
    if problem is None and len(head) >= HEAD_BYTES and b"\n" not in head[:HEAD_BYTES]:
        return f"its first line is longer than {HEAD_BYTES} bytes; write one path a line"
    return problem
