"""The images in a folder, by their suffixes, and what else is there, which is passed over."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from farm.errors import SourceError
from farm.system.log import LOG

IMAGE_SUFFIXES: Final = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".bmp", ".dib", ".tif", ".tiff"),
    *(".gif", ".jp2", ".avif", ".heic", ".heif", ".pbm", ".pgm", ".ppm", ".pnm", ".pam"),
)
SUFFIXES: Final = frozenset(map(os.fsencode, IMAGE_SUFFIXES))
MOST_KINDS: Final = 5  # that are named; the others are counted


@dataclass(slots=True)
class Folder:
    """The images in a folder, and how many other files and folders it has of each kind.

    `below` are the folders in it that were not looked into.
    """

    images: list[bytes] = field(default_factory=list)
    files: Counter[str] = field(default_factory=Counter)
    folders: Counter[str] = field(default_factory=Counter)
    below: list[bytes] = field(default_factory=list)

    @classmethod
    def read(cls, path: bytes, *, recursive: bool) -> Folder:
        """List a folder, and with `recursive` those below it, but for links and hidden ones.

        Raises SourceError if one can't be listed.
        """
        found, left = cls(), [path]
        while left:
            for each in scan(left.pop()):
                if not is_folder(each):
                    found.add(each)
                elif not recursive:
                    found.below += [] if is_hidden(each) else [each.path]
                elif is_hidden(each) or each.is_symlink():
                    found.folders["hidden" if is_hidden(each) else "linked"] += 1
                else:
                    left.append(each.path)
        found.images.sort()
        return found

    def add(self, file: os.DirEntry[bytes]) -> None:
        """Count a file among the images, or among the others."""
        kind = kind_of(file.name)
        if kind is None:
            self.images.append(file.path)
        else:
            self.files[kind] += 1

    def passed_over(self) -> str:
        """Return what was passed over, empty if nothing was."""
        counted = (("file", self.files), ("folder", self.folders))
        said = [f"{of(kinds.total(), what)} passed over: {listed(kinds)}"
                for what, kinds in counted if kinds]  # fmt: skip
        return "; ".join(said)


def images_in(target: str, *, recursive: bool) -> list[bytes]:
    """Return the paths of a folder's images, sorted; log, once, what is passed over.

    Raises SourceError if there are none, or if it can't be listed.
    """
    folder = Folder.read(os.fsencode(target), recursive=recursive)
    passed = folder.passed_over()
    if not folder.images:
        why = f" ({passed})" if passed else ""
        below = f"; --recursive looks into {of(len(folder.below), 'sub-folder')}"
        raise SourceError(f"{target}: no images in it{why}{below if folder.below else ''}")
    if with_images := list(filter(has_images, folder.below)):
        hint = f"{of(len(with_images), 'sub-folder')} with images: --recursive takes them, too"
        passed = f"{passed}; {hint}" if passed else hint
    if passed:
        tell(f"{target}: {passed}")
    return folder.images


def scan(path: bytes) -> Iterator[os.DirEntry[bytes]]:
    """Yield what is in a folder; raise SourceError if it can't be listed."""
    try:
        with os.scandir(path) as entries:
            yield from entries
    except OSError as error:
        raise SourceError(f"{os.fsdecode(path)}: can't be listed: {error.strerror}") from error


def is_folder(entry: os.DirEntry[bytes]) -> bool:
    """Return whether it is a folder or a link to one; a link in a loop is none."""
    # entry.is_dir() would raise for that one, which is given, so that its error names it.
    return os.path.isdir(entry.path) if entry.is_symlink() else entry.is_dir()


def is_hidden(entry: os.DirEntry[bytes]) -> bool:
    """Return whether its name begins with a dot."""
    return entry.name.startswith(b".")


def kind_of(name: bytes) -> str | None:
    """Return what a file is that is passed over, None for an image."""
    suffix = os.path.splitext(name)[1].lower()
    if name.startswith(b"."):
        return "hidden"
    return None if suffix in SUFFIXES else os.fsdecode(suffix) or "without suffix"


def has_images(path: bytes) -> bool:
    """Return whether there is an image in a folder, as far as it can be listed."""
    with suppress(SourceError):
        return any(kind_of(each.name) is None and not is_folder(each) for each in scan(path))
    return False


def of(count: int, what: str) -> str:
    """Return `3 files`, `1 file`."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def listed(kinds: Counter[str]) -> str:
    """Return `2 .txt, 1 without suffix`, the most frequent first."""
    named = sorted(kinds.items(), key=lambda item: (-item[1], item[0]))
    said = [f"{count} {kind}" for kind, count in named[:MOST_KINDS]]
    others = sum(count for _, count in named[MOST_KINDS:])
    return ", ".join([*said, f"{others} others"] if others else said)


@cache  # a benchmark lists a folder for each round
def tell(message: str) -> None:
    """Log a message the first time."""
    LOG.info(message, extra={"event": "passed_over"})
