"""Images that a command line or a config names: folders, files, globs, lists, standard input.

A source is read only as fast as the farm takes; only the names in folders and globs are held in
memory as a whole, since they are sorted.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Sequence
from itertools import chain, repeat, takewhile
from typing import Final

from farm.errors import SourceError
from farm.sources.base import IterableSource, Ref, Source, path_ref
from farm.sources.folder import images_in
from farm.sources.lines import LineSource
from farm.sources.path_list import PathList
from farm.system.stdio import STDIN

LIST_SUFFIXES: Final = (".txt", ".lst")


def open_targets(targets: Sequence[str], *, times: int, recursive: bool = False) -> Source:
    """Return a source of the images that `targets` name, all of them `times` times over.

    A target is a folder (its images, sorted, and with `recursive` those of the folders in it), an
    image file, a glob, a .txt or .lst file with one path a line, or "-" for such a list on standard
    input. Raises SourceError for one that does not exist, and for a folder without images, or a
    glob or list with no file in it.
    """
    if STDIN in targets:
        if len(targets) > 1 or times > 1:
            raise SourceError("images from standard input can't be repeated or mixed with others")
        return LineSource(0)
    named: dict[str, Iterable[bytes]] = {}
    total: int | None = 0
    for target in targets:
        if target.lower().endswith(LIST_SUFFIXES) and os.path.isfile(target):
            named[target], total = PathList.open(target), None
        else:
            names = list_files(target, recursive=recursive)
            named[target], total = names, None if total is None else total + len(names)
    rounds = chain.from_iterable(repeat(tuple(targets), times))
    refs = (path_ref(path) for target in rounds for path in named[target])
    return IterableSource(refs, None if total is None else times * total)


def sample(targets: Sequence[str], most: int, *, recursive: bool = False) -> tuple[list[Ref], int]:
    """Return up to `most` of the images that `targets` name, and how many they name.

    Evenly spread: a folder's first names are often all of one class.
    """
    source = open_targets(targets, times=1, recursive=recursive)
    found: list[Ref] = []
    while not source.exhausted:
        found += source.take(most)
    count = len(found)
    return (found if count <= most else [found[k * count // most] for k in range(most)]), count


def list_files(target: str, *, recursive: bool = False) -> list[bytes]:
    """Return the paths of a folder, a file or a glob; raise SourceError if there are none."""
    try:
        os.fsencode(target)
    except UnicodeEncodeError as error:
        raise SourceError(f"{target}: no file can have this name") from error
    if os.path.isdir(target):
        return images_in(target, recursive=recursive)
    if os.path.lexists(target):
        return [os.fsencode(target)]
    if glob.has_magic(rest := target.removeprefix(folder := literal_folder(target))):
        matches = glob.iglob(glob.escape(folder) + rest, recursive=True)
        paths, missing = (
            [os.fsencode(x) for x in matches if not os.path.isdir(x)],
            "no file matches",
        )
        if (brackets := re.search(r"\[[^/\]]+\]", rest)) is not None:
            missing += (
                f"; {brackets[0]} is a pattern for one character: "
                f"if brackets are part of the name, write {glob.escape(brackets[0])}"
            )
    else:
        paths, missing = [], "no such file or folder"
    if not paths:
        raise SourceError(f"{target}: {missing}")
    return sorted(paths)


def literal_folder(pattern: str) -> str:
    """Return the longest beginning of a glob that is a folder of exactly this name."""
    ends = (end.end() for end in re.finditer("/", pattern))
    found = list(takewhile(os.path.isdir, (pattern[:end] for end in ends)))
    return found[-1] if found else ""
