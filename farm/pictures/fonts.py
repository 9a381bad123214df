"""Which font draws which character: the one that comes with the farm, OpenCV's, or the system's."""

from __future__ import annotations

import os
import re
import threading
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Final

import cv2

from farm.pictures.faces import CAN_SHAPE, Face, FontFile, OpenCvFont, needs_shaping

BUNDLED: Final = Path(__file__).with_name("DejaVuSans.ttf")
SUFFIXES: Final = (".ttf", ".otf", ".ttc", ".otc")
# A file without these words in its name is the plain font of its family.
STYLES: Final = re.compile(
    r"Bold|Italic|Oblique|Light|Thin|Black|Medium|Mono|Cond|Serif|Slant|UI|Display|Emoji|Math", re.I
)
MOST_FILES: Final = 400  # that are looked into: 0.4 ms each
UNSEEN: Final = re.compile("[\ufe00-\ufe0f]")  # choose a variant of a character, as of an emoji
CJK: Final = re.compile("CJK|HIRAGANA|KATAKANA|HANGUL|BOPOMOFO|IDEOGRAPHIC|FULLWIDTH")
APT: Final = "sudo apt install "


class Fonts:
    """The fonts of this machine; those in files below `folders` are looked into when one is needed.

    `missing` are the characters that none of them has, of the texts so far. Several threads may use
    it at once.
    """

    def __init__(self, folders: Iterable[Path] | None = None) -> None:
        self.base: Final[Face] = FontFile(BUNDLED)
        self.missing: set[str] = set()
        self._opened: list[Face] = [self.base]
        if hasattr(cv2, "FontFace"):
            self._opened.append(OpenCvFont())
        self._unopened = iter(font_files(system_folders() if folders is None else folders))
        self._opening = threading.Lock()
        self._covers = lru_cache(maxsize=1 << 16)(lambda face, char: face.covers(char))

    def runs(self, text: str) -> list[tuple[Face, str]]:
        """Return a text in pieces, each with a font that has all of it.

        What no font has, and what would change how the rest is shown, comes as its number.
        """
        runs: list[tuple[Face, str]] = []
        for char in UNSEEN.sub("", unicodedata.normalize("NFC", text)):
            now = runs[-1][0] if runs else self.base
            face = self._face(char, now) if char.isprintable() else None
            piece = escaped(char) if face is None else char
            if runs and (face or self.base) is now:
                runs[-1] = (now, runs[-1][1] + piece)
            else:
                runs.append((face or self.base, piece))
        return runs

    def _face(self, char: str, now: Face) -> Face | None:
        """Return the font of a character that comes after one in the font `now`; None if none."""
        if char == " ":
            return now
        mark = unicodedata.category(char).startswith("M")  # belongs to the letter before it
        for face in (now, self.base) if mark else (self.base, now):
            if self._covers(face, char):
                return face
        if char in self.missing:
            return None
        with self._opening:
            found = next((each for each in self._all() if self._covers(each, char)), None)
        if found is None:
            self.missing.add(char)
        return found

    def _all(self) -> Iterator[Face]:
        """Yield all fonts, the opened ones first."""
        yield from self._opened
        for path in self._unopened:
            with suppress(OSError):  # broken, or made of pictures of one size
                self._opened.append(FontFile(path))
                yield self._opened[-1]


def escaped(char: str) -> str:
    """Return the number of a character, as in a Python string."""
    return char.encode("unicode_escape").decode()


def system_folders() -> tuple[Path, ...]:
    """Return where Linux has fonts, the user's own first."""
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    folders = (f"{data}/fonts", "~/.fonts", "/usr/local/share/fonts", "/usr/share/fonts")
    return tuple(Path(os.path.expanduser(each)) for each in folders)


def font_files(folders: Iterable[Path]) -> list[Path]:
    """Return the font files in and below these folders, plain ones first, MOST_FILES at most."""
    found = [
        Path(parent, name)
        for folder in folders
        for parent, _, names in os.walk(folder)
        for name in sorted(names)
        if name.lower().endswith(SUFFIXES)
    ]
    return sorted(found, key=lambda path: len(STYLES.findall(path.name)))[:MOST_FILES]


def advice(missing: set[str]) -> str | None:
    """Return which characters no font has, and the command that installs one; None if none lack."""
    if not missing:
        return None
    packages = set()
    for char in missing:
        if not CAN_SHAPE and needs_shaping(char):
            packages.add("libfribidi0")
        elif CJK.match(unicodedata.name(char, "")):
            packages.add("fonts-noto-cjk")
        else:
            packages.add(
                "fonts-symbola" if unicodedata.category(char) == "So" else "fonts-noto-core"
            )
    shown = " ".join(sorted(missing)[:10])
    return (
        f"no font here has {shown}: in pictures written as {escaped(min(missing))}; "
        f"then, once more with --overwrite:\n  {APT}{' '.join(sorted(packages))}"
    )
