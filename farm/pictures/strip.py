"""Lines of text below a picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from farm.pictures.colours import WHITE, Colour
from farm.pictures.faces import Mask
from farm.pictures.fonts import Fonts
from farm.pictures.text import fitted, line
from workers.images.preprocess import Image

LEAST_WIDTH: Final = 240  # pixels, for names to fit; a smaller picture gets room beside it
GROUND: Final = (24, 24, 24)
MOST_WRAPPED: Final = 6  # lines


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a strip: a square of a colour, if any, text that may be cut, and its end."""

    text: str
    end: str = ""
    mark: Colour | None = None


def below(image: Image, rows: Sequence[Row], fonts: Fonts, size: int) -> Image:
    """Return a picture with lines below it, in letters of `size` pixels; each is cut to fit."""
    height, width = image.shape[:2]
    whole, margin = max(width, LEAST_WIDTH), max(2, size // 3)
    square = size - size // 4
    lefts = [margin + (square + margin if row.mark else 0) for row in rows]
    masks = [fitted(fonts, row.text, size, whole - left - margin, row.end)
             for row, left in zip(rows, lefts, strict=True)]  # fmt: skip
    gap = size // 6
    more = sum(mask.shape[0] + gap for mask in masks) + 2 * margin - gap
    sides = (0, more, 0, whole - width)
    canvas = np.asarray(
        cv2.copyMakeBorder(image, *sides, cv2.BORDER_CONSTANT, value=GROUND), np.uint8
    )
    y = height + margin
    for row, left, mask in zip(rows, lefts, masks, strict=True):
        if row.mark is not None:
            top = y + (mask.shape[0] - square) // 2
            canvas[top : top + square, margin : margin + square] = row.mark[::-1]
        stamp(canvas, mask, (left, y), WHITE)
        y += mask.shape[0] + gap
    return canvas


def wrapped(text: str, fonts: Fonts, size: int, width: int) -> Iterator[Row]:
    """Yield a text as lines below a picture of `width`: MOST_WRAPPED at most, then it is cut."""
    room = max(width, LEAST_WIDTH) - 2 * max(2, size // 3)
    rest = text[: MOST_WRAPPED * room]  # no letter is narrower than a pixel
    for _ in range(MOST_WRAPPED - 1):
        if not rest:
            return
        count = len(rest)
        while count > 1 and (wide := line(fonts, rest[:count], size).mask.shape[1]) > room:
            count = max(1, min(count - 1, count * room // wide))
        yield Row(rest[:count])
        rest = rest[count:]
    if rest:
        yield Row(rest)


def stamp(image: Image, mask: Mask, at: tuple[int, int], shown: Colour) -> None:
    """Draw a mask into a picture, BGR, its left top corner `at` (x, y), all of it inside."""
    x, y = at
    region = image[y : y + mask.shape[0], x : x + mask.shape[1]]
    ink = mask[:, :, np.newaxis].astype(np.uint16)
    colour = np.array(shown[::-1], np.uint16)
    region[:] = ((255 - ink) * region + ink * colour + 127) // 255
