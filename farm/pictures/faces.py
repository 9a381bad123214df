"""What draws letters: a font file, or the font that is part of OpenCV 5."""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont, features

Mask = npt.NDArray[np.uint8]

PROBE: Final = 24  # pixels; whether a font has a character does not depend on it
NO_CHARACTER: Final = "\U0010ffff"  # by Unicode: a font draws what it draws for all that it lacks
RIGHT_TO_LEFT: Final = frozenset({"R", "AL", "AN"})
WEIGHT: Final = 400  # of OpenCV's font: regular
CAN_SHAPE: Final = features.check("raqm")  # which needs the system's libfribidi


@dataclass(frozen=True, slots=True)
class Drawn:
    """A text's pixels, 0 to 255 where there is ink; its first row is `above` the baseline."""

    mask: Mask
    above: int

    @property
    def below(self) -> int:
        """How many rows are below the baseline."""
        return len(self.mask) - self.above


class Face(Hashable, Protocol):
    """Draws text."""

    def covers(self, char: str) -> bool:
        """Return whether it has a character."""

    def draw(self, text: str, size: int) -> Drawn:
        """Draw characters that it has, `size` pixels high."""


class FontFile:
    """The font in a file; raises OSError for a file that is none that can be scaled."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._sizes: dict[int, ImageFont.FreeTypeFont] = {}
        self._probe = ImageFont.truetype(path, PROBE, layout_engine=ImageFont.Layout.BASIC)
        self._none = self._bits(NO_CHARACTER)

    def covers(self, char: str) -> bool:
        """See Face.covers; nothing that must be laid out where nothing does it."""
        return (CAN_SHAPE or not needs_shaping(char)) and self._bits(char) != self._none

    def draw(self, text: str, size: int) -> Drawn:
        """See Face.draw."""
        font = self._sizes.get(size) or ImageFont.truetype(self._path, size)
        self._sizes[size] = font
        left, top, right, bottom = font.getbbox(text, anchor="ls")
        width = max(right, round(font.getlength(text))) - min(left, 0)
        canvas = Image.new("L", (int(width), int(bottom - top)))
        ImageDraw.Draw(canvas).text((-min(left, 0), -top), text, fill=255, font=font, anchor="ls")
        return Drawn(np.asarray(canvas, np.uint8), int(-top))

    def _bits(self, char: str) -> tuple[tuple[int, int], bytes]:
        mask = self._probe.getmask(char)
        return mask.size, bytes(mask)


class OpenCvFont:
    """The font in OpenCV 5, which has Chinese, Japanese and Korean; it does not lay out scripts."""

    def __init__(self) -> None:
        self._face = cv2.FontFace("sans")
        self._lock = threading.Lock()  # nobody says that a face may be used by several threads
        self._none = self.draw("?", PROBE).mask  # which it draws for all that it lacks

    def covers(self, char: str) -> bool:
        """See Face.covers."""
        if needs_shaping(char):
            return False
        return char == "?" or not np.array_equal(self.draw(char, PROBE).mask, self._none)

    def draw(self, text: str, size: int) -> Drawn:
        """See Face.draw."""
        canvas, baseline = np.zeros((3 * size, size * (2 + 2 * len(text))), np.uint8), 2 * size
        with self._lock:
            end, _ = cv2.putText(
                canvas, text, (0, baseline), (255,), self._face, size, WEIGHT
            )  # the overload of OpenCV 5
        rows = np.flatnonzero(canvas.any(axis=1))
        top, bottom = (rows[0], rows[-1] + 1) if rows.size else (baseline - 1, baseline)
        return Drawn(canvas[top:bottom, : max(1, end[0])], int(baseline - top))


def needs_shaping(char: str) -> bool:
    """Return whether more is to do than to put a character after the one before it.

    It runs from right to left, or is put above or below another.
    """
    to_left = unicodedata.bidirectional(char) in RIGHT_TO_LEFT
    return to_left or unicodedata.category(char).startswith("M")
