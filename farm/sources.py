"""Where images come from: folders, files, globs, lists of paths, standard input, Python iterables.

A source is read only as fast as the farm takes; nothing but a folder's or a glob's names is ever
held whole, and those only because they are sorted.
"""

from __future__ import annotations

import glob
import os
import select
import stat
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice, repeat
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from farm.errors import SourceError
from workers.wire import Encoded, FileRef, Pixels

STDIN: Final = "-"
LIST_SUFFIX: Final = ".txt"
READ_BYTES: Final = 65536
CHANNELS: Final = 3

Ref = FileRef | Encoded | Pixels
Item = str | os.PathLike[str] | bytes | npt.NDArray[np.uint8]


class Source(Protocol):
    """Gives references to images, a few at a time."""

    total: int | None
    """How many there will be, None if that is not known."""

    @property
    def fds(self) -> tuple[int, ...]:
        """What to wait on when `take` gave nothing; empty for a source that never has to wait."""

    @property
    def exhausted(self) -> bool:
        """Whether `take` has nothing more to give, ever."""

    def take(self, count: int) -> list[Ref]:
        """Give up to `count` references, fewer if there are no more yet; never blocks for long."""


class IterableSource:
    """A source over any Python iterable of references."""

    fds: tuple[int, ...] = ()

    def __init__(self, refs: Iterable[Ref], total: int | None = None) -> None:
        self._refs = iter(refs)
        self.total = total
        self.exhausted = False

    def take(self, count: int) -> list[Ref]:
        """See Source.take."""
        taken = list(islice(self._refs, count))
        self.exhausted = self.exhausted or len(taken) < count
        return taken


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
        self._lines = [line for line in map(_path_in, whole) if line]


def from_items(items: Iterable[Item]) -> IterableSource:
    """Make a source of what Farm.classify takes: paths, encoded bytes, uint8 BGR arrays."""
    single = isinstance(items, (str, bytes, bytearray, memoryview, os.PathLike))
    if single or (isinstance(items, np.ndarray) and items.dtype == np.uint8 and items.ndim == 3):
        raise SourceError("one item on its own: put it into a list")
    if not isinstance(items, Iterable):
        raise SourceError(f"a {type(items).__name__} is no iterable of images")
    total = len(items) if isinstance(items, Sequence) else None
    return IterableSource(map(_ref, items), total)


def from_targets(targets: Sequence[str], *, times: int) -> Source:
    """Make a source of what a command line names, all of it `times` times over.

    A target is a folder (its files, sorted; folders in it are passed over), an image file, a
    glob, a .txt file with one path a line, or "-" for such a list on standard input. Raises
    SourceError for one that is not there, and for a folder or glob with no file in it.
    """
    if STDIN in targets:
        if len(targets) > 1 or times > 1:
            raise SourceError("images from standard input can't be repeated or mixed with others")
        return LineSource(0)
    lists = [target for target in targets if _is_list(target)]
    named = {target: _names(target) for target in targets if target not in lists}
    total = None if lists else times * sum(len(named[target]) for target in targets)
    refs = (
        FileRef(path)
        for target in chain.from_iterable(repeat(tuple(targets), times))
        for path in (named[target] if target in named else _listed(target))
    )
    return IterableSource(refs, total)


def spread(targets: Sequence[str], most: int) -> tuple[list[Ref], int]:
    """Give up to `most` of what a command line names, and how many it names.

    Evenly spread: a folder's first names are often all of one class.
    """
    source = from_targets(targets, times=1)
    found: list[Ref] = []
    while not source.exhausted:
        found += source.take(most)
    count = len(found)
    return (found if count <= most else [found[k * count // most] for k in range(most)]), count


def _is_list(target: str) -> bool:
    return target.endswith(LIST_SUFFIX) and os.path.isfile(target)


def _names(target: str) -> list[bytes]:
    """The paths that a folder, a file or a glob stands for."""
    if os.path.isdir(target):
        names = _files_in(target)
        if not names:
            raise SourceError(f"{target}: no files in this folder")
        return names
    if os.path.lexists(target):
        return [os.fsencode(target)]
    if glob.has_magic(target):
        found = sorted(map(os.fsencode, glob.iglob(target, recursive=True)))
        found = [path for path in found if not os.path.isdir(path)]
        if found:
            return found
        raise SourceError(f"{target}: no file matches")
    raise SourceError(f"{target}: no such file or folder")


def _files_in(folder: str) -> list[bytes]:
    try:
        with os.scandir(os.fsencode(folder)) as entries:
            return sorted(entry.path for entry in entries if not _is_folder(entry))
    except OSError as error:
        raise SourceError(f"{folder}: can't be listed: {error.strerror}") from error


def _is_folder(entry: os.DirEntry[bytes]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # a link that leads nowhere: the item's own error will say so


def _listed(target: str) -> Iterator[bytes]:
    try:
        with Path(target).open("rb") as file:
            yield from filter(None, map(_path_in, file))
    except OSError as error:
        raise SourceError(f"{target}: can't be read: {error.strerror}") from error


def _path_in(line: bytes) -> bytes:
    return line.rstrip(b"\r\n")


def _readable(fd: int) -> bool:
    """Whether a read of `fd` returns at once; always so for a file."""
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return True
    poller = select.poll()
    poller.register(fd, select.POLLIN)
    return bool(poller.poll(0))


def _ref(item: Any) -> Ref:
    if isinstance(item, (str, os.PathLike)):
        return FileRef(os.fsencode(item))
    if isinstance(item, (bytes, bytearray, memoryview)):
        return Encoded(bytes(item))
    if isinstance(item, np.ndarray):
        if item.dtype != np.uint8 or item.ndim != 3 or item.shape[2] != CHANNELS:
            raise SourceError(
                f"an array of {item.dtype} {list(item.shape)}; "
                "height x width x 3 uint8 in BGR order is needed"
            )
        return Pixels(item.tobytes(), item.shape[0], item.shape[1])
    raise SourceError(f"a {type(item).__name__} is no image: give a path, bytes or a uint8 array")
