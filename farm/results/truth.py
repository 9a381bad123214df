"""The right label of an image, as its path tells it: by a regular expression, or by its folder."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from farm.results.result import Result

Truth: TypeAlias = Callable[[str], str | None]  # of a path; None if it tells no label


def by_pattern(pattern: str) -> Truth:
    """Return a truth that is the one group of a regular expression."""
    search = re.compile(pattern).search
    return lambda path: None if (found := search(path)) is None else found[1]


def by_folder(names: Iterable[str], numbers: Mapping[str, str]) -> Truth:
    """Return a truth that is the label after which an image's folder is named.

    That is one of `names`, or one of those between its commas, whatever the case, with `_` or `-`
    for blanks; or a key of `numbers`, WordNet numbers to labels.
    """
    labels = dict(numbers)
    for name in names:
        labels[plain(name)] = name
    for name in names:
        for part in name.split(","):
            labels.setdefault(plain(part), name)
    labels.pop("", None)  # of what is all blanks: a path without a folder has no label
    return lambda path: labels.get(plain(folder_of(path)))


def right_label(result: Result, truth: Truth | None) -> str | None:
    """Return the label that a result's classes are judged by; None if they can't be, or are not."""
    if truth is None or result.simulated or result.path is None or result.top5 is None:
        return None
    return truth(result.path)


def folder_of(path: str) -> str:
    """Return the name of the folder that an image is in, empty if its path has none."""
    return os.path.basename(os.path.dirname(os.path.normpath(path)))


def plain(name: str) -> str:
    """Return a name as it is compared."""
    return " ".join(re.split(r"[\s_-]+", name.casefold())).strip()
