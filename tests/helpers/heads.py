"""Outputs of detectors that have found given objects: each family's way, written backwards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from workers.tasks.detect_families import ANCHORS

STRIDES: Final = (8, 16, 32)
BACKGROUND: Final = 0.002  # the score of every class where nothing is
SURE: Final = 0.97  # objectness of an object; the class's score does the rest
BINS: Final = 16
ZOO: Final = (  # as the vendor's exports; "six" has no sums of scores
    "yolov5",
    "yolov6",
    "yolov7",
    "yolov8",
    "yolov8_six",
    "yolo11",
    "yolov10",
    "yolox",
)
RAW: Final = ("raw_v5", "raw_v8", "raw_yolox", "e2e")
HEADS: Final = (*ZOO, *RAW)
NEEDS_NAME: Final = ("yolov7",)  # whose shapes are taken for yolov5's

Array = npt.NDArray[np.float32]
Found = tuple[Array, npt.NDArray[np.int64], Array]  # boxes, classes, scores


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """An object: its box in pixels of the input, and the grid (and anchor) that found it."""

    x: float  # of its centre
    y: float
    width: float
    height: float
    class_id: int
    score: float
    stride: int = 8
    anchor: int = 0

    @property
    def box(self) -> tuple[float, float, float, float]:
        """x1 y1 x2 y2."""
        right, below = self.width / 2, self.height / 2
        return self.x - right, self.y - below, self.x + right, self.y + below

    @property
    def cell(self) -> tuple[int, int]:
        """Row and column in its grid."""
        return int(self.y // self.stride), int(self.x // self.stride)


SIZE: Final = (192, 128)  # width, height
CLASSES: Final = 5
CAT: Final = Planted(x=70.5, y=40.25, width=30, height=20, class_id=3, score=0.8)
DOG: Final = Planted(x=150, y=90, width=18, height=24, class_id=1, score=0.6)


def option(family: str) -> str:
    """The name that the option has for a family of ZOO and RAW."""
    return family.removesuffix("_six")


def encode(
    family: str, objects: Sequence[Planted], size: tuple[int, int], classes: int
) -> list[Array]:
    """The outputs of such a model, of an input of `size` (width, height)."""
    if family == "e2e":
        rows = [(*each.box, each.score, each.class_id) for each in objects]
        return [np.array([*rows, *[(0,) * 6] * 20], np.float32)[np.newaxis]]
    width, height = size
    parts: list[Array] = []
    for stride in STRIDES:
        cells = (height // stride, width // stride)
        there = [each for each in objects if each.stride == stride]
        if family in ("yolov6", "yolov8", "yolov8_six", "yolo11", "yolov10"):
            parts += by_sides(family, there, cells, classes)
        elif family == "raw_v8":
            parts.append(in_pixels(there, cells, classes))
        elif family in ("yolox", "raw_yolox"):
            parts.append(by_logarithms(there, cells, classes))
        else:
            parts.append(by_anchors(family, there, cells, classes))
    if family == "raw_v8":
        return [np.concatenate([part.reshape(1, 4 + classes, -1) for part in parts], axis=2)]
    if family == "raw_yolox":
        flat = [part.reshape(1, 5 + classes, -1).transpose(0, 2, 1) for part in parts]
        return [np.concatenate(flat, axis=1)]
    if family == "raw_v5":  # anchors, then cells, then channels
        flat = [part.reshape(1, 3, 5 + classes, -1).transpose(0, 1, 3, 2) for part in parts]
        return [np.concatenate([each.reshape(1, -1, 5 + classes) for each in flat], axis=1)]
    return parts


def by_sides(
    family: str, objects: Sequence[Planted], cells: tuple[int, int], classes: int
) -> Iterator[Array]:
    """Boxes, scores and, in some exports, their sums."""
    boxes = np.zeros((1, 4 if family == "yolov6" else 4 * BINS, *cells), np.float32)
    scores = np.full((1, classes, *cells), BACKGROUND, np.float32)
    for each in objects:
        row, column = each.cell
        middle = column + 0.5, row + 0.5
        x1, y1, x2, y2 = (edge / each.stride for edge in each.box)
        sides = middle[0] - x1, middle[1] - y1, x2 - middle[0], y2 - middle[1]
        for number, side in enumerate(sides):
            if family == "yolov6":
                boxes[0, number, row, column] = side
            else:
                boxes[0, number * BINS : (number + 1) * BINS, row, column] = distribution(side)
        scores[0, each.class_id, row, column] = each.score
    yield boxes
    yield scores
    if family not in ("yolov8_six", "yolov10"):
        yield np.clip(scores.sum(axis=1, keepdims=True), 0, 1)


def distribution(expected: float) -> Array:
    """Logits over the bins whose softmax has this expected value: all in its two neighbours."""
    assert 0 <= expected <= BINS - 1
    logits = np.full(BINS, -30.0, np.float32)
    low = min(int(expected), BINS - 2)
    for at, share in ((low, low + 1 - expected), (low + 1, expected - low)):
        logits[at] = np.log(max(share, 1e-13))
    return logits


def by_anchors(
    family: str, objects: Sequence[Planted], cells: tuple[int, int], classes: int
) -> Array:
    """Three anchors of box, objectness and classes; boxes in pixels if they are raw."""
    found = np.full((1, 3, 5 + classes, *cells), BACKGROUND, np.float32)
    for each in objects:
        row, column = each.cell
        if family == "raw_v5":
            box = each.x, each.y, each.width, each.height
        else:
            anchor = ANCHORS[family][STRIDES.index(each.stride)][each.anchor]
            offsets = each.x / each.stride - column, each.y / each.stride - row
            shares = each.width / anchor[0], each.height / anchor[1]
            box = (
                *((offset + 0.5) / 2 for offset in offsets),
                *(share**0.5 / 2 for share in shares),
            )
        at = found[0, each.anchor, :, row, column]
        at[:5] = *box, SURE
        at[5 + each.class_id] = each.score / SURE
    return found.reshape(1, -1, *cells)


def by_logarithms(objects: Sequence[Planted], cells: tuple[int, int], classes: int) -> Array:
    """Offsets in cells, the logarithm of sizes in strides, objectness, classes."""
    found = np.full((1, 5 + classes, *cells), BACKGROUND, np.float32)
    for each in objects:
        row, column = each.cell
        at = found[0, :, row, column]
        at[:2] = each.x / each.stride - column, each.y / each.stride - row
        at[2:4] = np.log([each.width / each.stride, each.height / each.stride])
        at[4], at[5 + each.class_id] = SURE, each.score / SURE
    return found


def in_pixels(objects: Sequence[Planted], cells: tuple[int, int], classes: int) -> Array:
    """Centre and size in pixels, classes."""
    found = np.full((1, 4 + classes, *cells), BACKGROUND, np.float32)
    for each in objects:
        at = found[0, :, each.cell[0], each.cell[1]]
        at[:4] = each.x, each.y, each.width, each.height
        at[4 + each.class_id] = each.score
    return found


def parts_of(family: str, outputs: Sequence[Array]) -> tuple[list[Array], list[Array]]:
    """Views of what the outputs of CLASSES classes have of boxes, and of scores."""
    if family in ("raw_v5", "raw_yolox"):
        return [outputs[0][..., :4]], [outputs[0][..., 4:]]
    if family == "e2e":
        return [outputs[0][..., :4]], [outputs[0][..., 4:5]]
    if family in ("raw_v8", "yolox"):
        return [output[:, :4] for output in outputs], [output[:, 4:] for output in outputs]
    if family in ("yolov5", "yolov7"):
        blocks = [output.reshape(1, 3, -1, *output.shape[2:]) for output in outputs]
        return [block[:, :, :4] for block in blocks], [block[:, :, 4:] for block in blocks]
    each = len(outputs) // len(STRIDES)
    return list(outputs[::each]), list(outputs[1::each])


def named(family: str) -> str:
    """What has to be said of a family: nothing, if its shapes tell it."""
    return family if family in NEEDS_NAME else "auto"


def rows(found: Found) -> list[tuple[Any, ...]]:
    """Classes, scores and boxes, comparable."""
    boxes, classes, scores = found
    return [
        (int(class_id), float(score), *box)
        for class_id, score, box in zip(classes, scores, boxes.tolist(), strict=True)
    ]


def expected(objects: Sequence[Planted]) -> list[tuple[Any, ...]]:
    best = sorted(objects, key=lambda each: -each.score)
    return [(each.class_id, each.score, *each.box) for each in best]


def assert_same(found: Found, objects: Sequence[Planted]) -> None:
    """The same classes, scores within 1e-3 and boxes within half a pixel."""
    got, owed = rows(found), expected(objects)
    assert [row[0] for row in got] == [row[0] for row in owed]
    for row, other in zip(got, owed, strict=True):
        assert abs(row[1] - other[1]) < 1e-3
        assert np.abs(np.subtract(row[2:], other[2:])).max() < 0.5
