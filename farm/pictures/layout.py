"""Where the names of boxes stand: at their box, inside the picture, apart from each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

Rect = tuple[int, int, int, int]  # left, top, right, bottom; the last two are just outside
Size = tuple[int, int]  # width, height

FURTHER: Final = 6  # names that may stand at one place, one below the other


def within(box: tuple[float, float, float, float], picture: Size) -> Rect:
    """Return the pixels that a box takes of a picture: at least one."""
    width, height = picture
    left = min(max(0, int(box[0])), width - 1)
    top = min(max(0, int(box[1])), height - 1)
    right, bottom = min(round(box[2]), width), min(round(box[3]), height)
    return left, top, max(right, left + 1), max(bottom, top + 1)


def places(boxes: Iterable[Rect], plates: Iterable[Size], picture: Size) -> list[tuple[int, int]]:
    """Return left and top of the plate of each box; the first ones choose first.

    A plate is inside the picture if it is no larger. Where all places are taken, names overlap.
    """
    taken: list[Rect] = []
    for box, plate in zip(boxes, plates, strict=True):
        tried = list(candidates(box, plate, picture))
        free = (one for one in tried if not any(meet(one, other) for other in taken))
        taken.append(next(free, tried[0]))
    return [rect[:2] for rect in taken]


def candidates(box: Rect, plate: Size, picture: Size) -> Iterator[Rect]:
    """Yield where a box's plate may stand, the best place first; at least one."""
    left, top, right, bottom = box
    width, height = plate
    tops = (top - height, top, bottom, bottom - height,
            *(top + number * height for number in range(1, FURTHER)),
            *(top - number * height for number in range(2, FURTHER)))  # fmt: skip
    lowest, rightmost = max(0, picture[1] - height), max(0, picture[0] - width)
    for y in (*(y for y in tops if 0 <= y <= lowest), lowest):
        for x in (min(left, rightmost), min(max(0, right - width), rightmost)):
            yield x, y, x + width, y + height


def meet(one: Rect, other: Rect) -> bool:
    """Return whether two rectangles have a pixel in common."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
