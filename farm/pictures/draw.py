"""A picture with what was found in it: boxes with names, or lines below it."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Final

import numpy as np

from farm.pictures.colours import colour, ink
from farm.pictures.fonts import Fonts
from farm.pictures.layout import places, within
from farm.pictures.strip import LEAST_WIDTH, Row, below, stamp, wrapped
from farm.pictures.text import fitted
from farm.results.output_format import compact
from farm.results.result import DetectedObject, Prediction, Result
from farm.results.text_line import class_name
from workers.images.preprocess import Image

# Of the square root of a picture's pixels.
LINE: Final = 0.003
LETTERS: Final = 0.025
THINNEST: Final = 2  # pixels of a line: a JPEG has colours for every second one
SMALLEST: Final = 12  # letters, in pixels
LETTERS_IN_LINE: Final = 20  # at least, however narrow the picture
LEAST_LINES: Final = 3  # of names; a lower picture has no room for them
MOST_ROWS: Final = 12  # objects that are named below a picture


def annotated(image: Image, result: Result, fonts: Fonts) -> Image:
    """Return a copy of an upright picture, BGR, with a result's answer drawn on it or below it.

    Below it: a top-5, an own task's output, and the names of boxes if the picture has no room.
    """
    height, width = image.shape[:2]
    size = max(SMALLEST, min(round(LETTERS * sqrt(height * width)), width // LETTERS_IN_LINE))
    if result.objects is not None:
        boxed = np.array(image)
        draw_boxes(boxed, result.objects)
        if width < LEAST_WIDTH or height < LEAST_LINES * size:
            return below(boxed, rows_of(result.objects, result), fonts, size)
        draw_names(boxed, result, fonts, size)
        return boxed
    if result.top5 is not None:
        return below(image, rows_of(result.top5, result), fonts, size)
    return below(image, [*wrapped(compact(result.output), fonts, size, width)], fonts, size)


def rows_of(found: Sequence[Prediction | DetectedObject], result: Result) -> list[Row]:
    """Return a line for each of what was found, MOST_ROWS at most."""
    rows = [Row(named(each, result), f"  {each.score * 100:.1f} %", colour(each.class_id))
            for each in found[:MOST_ROWS]]  # fmt: skip
    more = len(found) - len(rows)
    return [*rows, Row(f"and {more} more")] if more else rows or [Row("nothing found")]


def named(found: Prediction | DetectedObject, result: Result) -> str:
    """Return what to call what was found; a made-up answer says that it is one."""
    begin = "simulated: " if result.simulated else ""
    return begin + class_name(found, simulated=result.simulated)


def draw_boxes(image: Image, objects: Sequence[DetectedObject]) -> None:
    """Draw the box of each object, the best last; a thin line in it is seen on its own colour."""
    height, width = image.shape[:2]
    thick = max(THINNEST, round(LINE * sqrt(height * width)))
    for each in reversed(objects):
        left, top, right, bottom = within(each.box, (width, height))
        box, ground = image[top:bottom, left:right], colour(each.class_id)
        for wide, shown in ((thick + thick // 2, ink(ground)), (thick, ground)):
            for side in (box[:wide], box[-wide:], box[:, :wide], box[:, -wide:]):
                side[:] = shown[::-1]


def draw_names(image: Image, result: Result, fonts: Fonts, size: int) -> None:
    """Draw the name of each object on a plate of its colour, the best last."""
    height, width = image.shape[:2]
    objects, margin = result.objects or (), max(2, size // 4)
    masks = [fitted(fonts, named(each, result), size, width - 2 * margin,
                    f" {each.score * 100:.0f} %") for each in objects]  # fmt: skip
    plates = [(mask.shape[1] + 2 * margin, mask.shape[0] + margin) for mask in masks]
    boxes = [within(each.box, (width, height)) for each in objects]
    spots = places(boxes, plates, (width, height))
    drawn = [*zip(objects, masks, plates, spots, strict=True)]
    for each, mask, (wide, high), (x, y) in reversed(drawn):
        plate, ground = image[y : y + high, x : x + wide], colour(each.class_id)
        plate[:] = ground[::-1]
        # Marks that are piled up on a letter may be higher than the picture.
        stamp(plate, mask[: max(0, len(plate) - margin // 2)], (margin, margin // 2), ink(ground))
