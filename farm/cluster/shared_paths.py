"""Paths below a folder that sender and boards share: how each names it, and what is not in it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from farm.errors import ConfigError
from workers.errors import ImageError
from workers.images.file_reader import why_not

OUTSIDE: Final = "outside"  # the kind of an image that is not below the folder
ODD: Final = frozenset(
    (b"", b".", b"..")
)  # parts of no plain path; an absolute one begins with the first
MOST_PARTS: Final = 100


@dataclass(frozen=True, slots=True)
class SharedFolder:
    """A folder with images, all of its own links resolved."""

    root: bytes

    @classmethod
    def at(cls, prefix: Path) -> SharedFolder:
        """Return the folder that --by-path names; raises ConfigError if it is none."""
        try:
            root = os.fsencode(os.path.realpath(prefix, strict=True))
            os.listdir(root)
        except OSError as error:
            raise ConfigError(
                f"--by-path {prefix}: no folder to share: {error.strerror}"
            ) from error
        return cls(root)

    def below(self, path: bytes) -> bytes:
        """Return the path from here to an image; raises ImageError if it is not below here."""
        return os.path.relpath(self._resolved(path), self.root)

    def resolved(self, path: bytes) -> bytes:
        """Return where an image is, by a path that a stranger names; raises ImageError.

        There is no link in what comes back: none that is changed later leads elsewhere.
        """
        parts = path.split(b"/")
        if not ODD.isdisjoint(parts):
            raise ImageError(OUTSIDE, "no plain path from the shared folder to something below it")
        if len(parts) > MOST_PARTS:  # the system is asked for each, with all before it
            raise ImageError("unreadable", f"more than {MOST_PARTS} folders in each other")
        return self._resolved(os.path.join(self.root, path))

    def _resolved(self, path: bytes) -> bytes:
        try:
            # Strict: else a path too long to look at would keep its links.
            found = os.path.realpath(path, strict=True)
        except (OSError, ValueError) as error:
            raise why_not(error) from error
        if not found.startswith(os.path.join(self.root, b"")):
            raise ImageError(
                OUTSIDE, f"it is not below {os.fsdecode(self.root)}, the folder of --by-path"
            )
        return found
