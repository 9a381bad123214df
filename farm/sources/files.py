"""Where images come from: folders, files, globs, lists of paths, standard input, Python iterables.

A source is read only as fast as the farm takes; nothing but a folder's or a glob's names is ever
held whole, and those only because they are sorted.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from itertools import chain, repeat
from pathlib import Path
from typing import Final

from farm.errors import SourceError
from farm.sources.base import IterableSource, Ref, Source
from farm.sources.lines import LineSource, path_in
from farm.system.stdio import STDIN
from workers.protocol.messages import FileRef

LIST_SUFFIX: Final = ".txt"


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
            yield from filter(None, map(path_in, file))
    except OSError as error:
        raise SourceError(f"{target}: can't be read: {error.strerror}") from error
