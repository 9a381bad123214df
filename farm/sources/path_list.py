"""A file with one path a line: what it must look like, and from where its paths are taken."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain, islice
from pathlib import Path
from typing import Final

from farm.errors import SourceError
from farm.sources.lines import EMPTY, HEAD_BYTES, objection, read_lines, strip_newline
from farm.system import encodings
from farm.system.log import LOG

TRIED: Final = 100  # paths that are looked for before a run


@dataclass(frozen=True, slots=True)
class PathList:
    """The paths in a list file; each iteration reads it anew, a line at a time.

    Relative paths are taken from `folder`, b"" for the current one. Iterating raises SourceError
    if the file can't be read, and after the last path if somebody has written to it meanwhile.
    """

    file: str
    folder: bytes = b""

    @classmethod
    def open(cls, file: str) -> PathList:
        """Return the list in a file, and log it once if its folder is not the current one.

        Raises SourceError for a list that is empty or not written as one path a line.
        """
        try:
            with Path(file).open("rb") as opened:
                problem = objection(opened.read(HEAD_BYTES))
        except OSError as error:
            raise SourceError(f"{file}: can't be read: {error.strerror}") from error
        first = list(islice(cls(file), TRIED)) if problem is None else []
        beside = os.fsencode(os.path.dirname(file))
        if problem is None and not first:
            problem = EMPTY
        elif any(map(is_recoded, chain(first, (os.path.join(beside, path) for path in first)))):
            problem = f"its names are not as on the disk; {encodings.convert_from('WINDOWS-1252')}"
        if problem is not None:
            raise SourceError(f"{file}: {problem}")
        folder = find_folder(first, beside)
        if folder:
            tell_folder(file)
        return cls(file, folder)

    def __iter__(self) -> Iterator[bytes]:
        try:
            with Path(self.file).open("rb") as opened:
                before = os.fstat(opened.fileno())
                lines = read_lines(opened)
                first = next(lines, b"").removeprefix(encodings.BOM)
                paths: Iterator[bytes] = filter(None, map(strip_newline, chain((first,), lines)))
                if self.folder:
                    paths = (os.path.join(self.folder, path) for path in paths)
                yield from paths
                after = os.fstat(opened.fileno())
        except OSError as error:
            raise SourceError(f"{self.file}: can't be read: {error.strerror}") from error
        if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
            raise SourceError(
                f"{self.file}: it was written to while it was read, so images may be missing; "
                "run again, and put a new list in the place of the old one with `mv`"
            )


def is_recoded(path: bytes) -> bool:
    """Return whether a path exists as UTF-8 only, and is written here as Windows-1252."""
    try:
        path.decode()
    except UnicodeDecodeError:
        recoded = path.decode("cp1252", "replace").encode()
        return os.path.lexists(recoded) and not os.path.lexists(path)
    return False


def find_folder(paths: list[bytes], beside: bytes) -> bytes:
    """Return where the first relative path that exists is: b"", the current folder, or `beside`.

    If none exists, it is the current one.
    """
    for path in paths:
        if not os.path.isabs(path):
            if os.path.lexists(path):
                return b""
            if os.path.lexists(os.path.join(beside, path)):
                return beside
    return b""


@cache  # a benchmark opens its list for each round
def tell_folder(file: str) -> None:
    """Log, the first time, that a list's relative paths are taken from its own folder."""
    LOG.info(f"{file}: its relative paths are not in the current folder: taken beside the list")
