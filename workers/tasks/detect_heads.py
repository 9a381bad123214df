"""What each family's outputs say: boxes in input pixels, with their class and score."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from workers.errors import ImageError
from workers.tasks.classification import NOT_FINITE
from workers.tasks.detect_families import E2E, Grid, Reading

ROUNDING: Final = 0.01  # what float16 and int8 add to a score, or take from it
# A size as a logarithm, in strides: one of e^10 is no size, but pixels taken for a logarithm.
LARGEST_LOGARITHM: Final = 10.0
MOST_CLASSES: Final = 2**16  # more than any label file has: what is above is no class number

Floats = npt.NDArray[np.floating[Any]]
Places = npt.NDArray[np.intp]


class Found(NamedTuple):
    """Boxes (N x 4: x1 y1 x2 y2), their classes and their scores."""

    boxes: Floats
    classes: Places
    scores: Floats


class Picked(NamedTuple):
    """Cells that are likely enough, with the class and the score of each.

    `anchors` are their anchors' numbers, `boxes` (N x 4) what the outputs have of their boxes.
    """

    anchors: Places
    cells: Places
    boxes: Floats
    classes: Places
    scores: Floats


def find(reading: Reading, outputs: Sequence[npt.NDArray[np.float32]], least: float) -> Found:
    """Return all boxes with at least this score (0 to 1), in the order of strides and cells.

    Raises ImageError `bad_output` for scores that are no probabilities, and for boxes that are no
    such family's.
    """
    tables = [
        output.reshape(-1, channels).T if reading.channels_last else output.reshape(channels, -1)
        for output, channels in zip(outputs, reading.channels, strict=True)
    ]
    with np.errstate(invalid="ignore", over="ignore"):  # what is not finite is refused
        parts = list(HEADS[reading.family](reading, tables, least))
    boxes = np.concatenate([part.boxes for part in parts]).astype(np.float32)
    if not (np.isfinite(boxes).all() and (boxes[:, 2:] >= boxes[:, :2]).all()):
        raise ImageError("bad_output", f"the model's boxes are not those of a {reading.family}")
    return Found(
        boxes,
        np.concatenate([part.classes for part in parts]),
        np.concatenate([part.scores for part in parts]).astype(np.float32),
    )


def by_sides(reading: Reading, tables: Sequence[Floats], least: float) -> Iterator[Found]:
    """Yield the boxes of each grid: distances from a cell's centre to the four sides, in cells."""
    for grid in reading.grids:
        total = None if grid.total is None else tables[grid.total][0]
        cells, classes, scores = likely(tables[grid.scores], total, least)
        sides = distances(tables[grid.boxes][:, cells]).T
        centres = corners_of(cells, grid) + 0.5
        boxes = np.hstack([centres - sides[:, :2], centres + sides[:, 2:]]) * grid.stride
        yield Found(boxes, classes, scores)


def by_anchors(reading: Reading, tables: Sequence[Floats], least: float) -> Iterator[Found]:
    """Yield the boxes of each grid: offsets in cells, sizes as shares of three anchors."""
    for grid, anchors in zip(reading.grids, reading.anchors, strict=True):
        blocks = tables[grid.boxes].reshape(3, -1, grid.rows * grid.columns)
        expect_probabilities(blocks[:, :4])  # boxes come out of a sigmoid, too, but not yolox's
        found = confident(blocks, least)
        offsets = found.boxes[:, :2] * 2 - 0.5
        sizes = (found.boxes[:, 2:] * 2) ** 2 * np.asarray(anchors)[found.anchors]
        centres = (corners_of(found.cells, grid) + offsets) * grid.stride
        yield Found(around(centres, sizes), found.classes, found.scores)


def by_logarithms(reading: Reading, tables: Sequence[Floats], least: float) -> Iterator[Found]:
    """Yield the boxes of each grid: offsets in cells, logarithms of sizes in strides."""
    if len(tables) == 1:  # has the cells of all strides
        ends = np.cumsum([grid.rows * grid.columns for grid in reading.grids])
        tables = np.split(tables[0], ends[:-1], axis=1)
    for grid in reading.grids:
        table = tables[grid.boxes]
        if (high := table[2:4].max()) > LARGEST_LOGARITHM:
            raise ImageError(
                "bad_output",
                f"widths and heights up to {high:.4g} are no logarithms, as those of a "
                f"{reading.family}: are its boxes decoded already? then it is another family",
            )
        found = confident(table[np.newaxis], least)
        centres = corners_of(found.cells, grid) + found.boxes[:, :2]
        sizes = np.exp(found.boxes[:, 2:])
        boxes = around(centres, sizes) * grid.stride
        yield Found(boxes, found.classes, found.scores)


def in_pixels(reading: Reading, tables: Sequence[Floats], least: float) -> Iterator[Found]:
    """Yield the boxes of an output that has them as centre, width and height in pixels."""
    (table,) = tables
    low, high = table[2:4].min(), table[2:4].max()
    if low < -2 * ROUNDING * max(high, 0):
        raise ImageError(
            "bad_output",
            f"widths and heights from {low:.4g} to {high:.4g} are no pixels, as those of a "
            f"{reading.family}: it is another family",
        )
    if reading.family == "raw_v5":
        found = confident(table[np.newaxis], least)
        boxes, classes, scores = found.boxes, found.classes, found.scores
    else:
        cells, classes, scores = likely(table[4:], None, least)
        boxes = table[:4, cells].T
    yield Found(around(boxes[:, :2], np.maximum(boxes[:, 2:], 0)), classes, scores)


def end_to_end(_: Reading, tables: Sequence[Floats], least: float) -> Iterator[Found]:
    """Yield the boxes of an output that has them as results: x1 y1 x2 y2, score, class."""
    (table,) = tables
    scores = table[4]
    expect_probabilities(np.maximum(scores, 0))  # below 0 is what fills an output up
    rows = table[:, scores >= least]
    classes = np.rint(rows[5])
    integers = np.abs(rows[5] - classes) < ROUNDING
    if not (integers & (classes >= 0) & (classes < MOST_CLASSES)).all():
        raise ImageError(
            "bad_output",
            "the sixth of an object's values is no class number: an end to end model gives "
            "x1 y1 x2 y2, score, class",
        )
    yield Found(rows[:4].T, classes.astype(np.intp), rows[4])


HEADS: Final[dict[str, Callable[[Reading, Sequence[Floats], float], Iterable[Found]]]] = {
    "yolov5": by_anchors,
    "yolov7": by_anchors,
    "yolov6": by_sides,
    "yolov8": by_sides,
    "yolo11": by_sides,
    "yolov10": by_sides,
    "yolox": by_logarithms,
    "raw_yolox": by_logarithms,
    "raw_v5": in_pixels,
    "raw_v8": in_pixels,
    E2E: end_to_end,
}


def likely(scores: Floats, total: Floats | None, least: float) -> tuple[Places, Places, Floats]:
    """Return the cells whose best class has at least the score `least`, with class and score.

    `scores` are of classes x cells, `total` their sums, which are at least the best one.
    """
    if total is None:
        bound = scores.max(axis=0)
        expect_probabilities(scores)
    else:
        bound = total
        # Of logits, a sum that is limited to 0 to 1 is always 0: one class's scores show them.
        expect_probabilities(np.minimum(total, 1))
        expect_probabilities(scores[0])
    cells = np.flatnonzero(bound >= least)
    kept, classes, best = best_class(scores[:, cells].T, 1, least)
    return cells[kept], classes, best


def confident(blocks: Floats, least: float) -> Picked:
    """Return the cells where objectness times the score of the best class is at least `least`.

    `blocks` are of anchors x (box, objectness, classes) x cells.
    """
    objectness = blocks[:, 4]
    expect_probabilities(objectness)
    anchors, cells = np.nonzero(objectness >= least)
    found = blocks[anchors, :, cells]
    kept, classes, scores = best_class(found[:, 5:], found[:, 4], least)
    return Picked(anchors[kept], cells[kept], found[kept, :4], classes, scores)


def best_class(
    scores: Floats, weights: Floats | int, least: float
) -> tuple[Places, Places, Floats]:
    """Return which rows' best class has at least the score `least`, and that class and score."""
    expect_probabilities(scores)
    classes = scores.argmax(axis=1)
    best = np.minimum(scores[np.arange(len(scores)), classes] * weights, 1)
    kept = np.flatnonzero(best >= least)
    return kept, classes[kept], best[kept]


def expect_probabilities(scores: Floats) -> None:
    """Raise ImageError `bad_output` unless all are from 0 to 1."""
    low, high = scores.min(initial=0), scores.max(initial=0)  # NaN if any of them is
    if not np.isfinite(high - low):
        raise ImageError("bad_output", NOT_FINITE)
    if low < -ROUNDING or high > 1 + ROUNDING:
        raise ImageError(
            "bad_output",
            f"the model's scores are {low:.4g} to {high:.4g}, no probabilities: it lacks its "
            "sigmoid, or is of another family",
        )


def distances(channels: Floats) -> Floats:
    """Return the distances to four sides (4 x N): as they are, or expected of distributions."""
    if len(channels) == 4:
        return np.maximum(channels, 0)
    bins = channels.reshape(4, len(channels) // 4, -1)
    powers = np.exp(bins - bins.max(axis=1, keepdims=True, initial=-np.inf))
    numbers = np.arange(bins.shape[1], dtype=np.float32)
    expected: Floats = (powers * numbers[:, np.newaxis]).sum(axis=1) / powers.sum(axis=1)
    return expected


def corners_of(cells: Places, grid: Grid) -> Floats:
    """Return the column and the row of each cell (N x 2): its upper left corner, in cells."""
    rows, columns = np.divmod(cells, grid.columns)
    return np.stack([columns, rows], axis=1).astype(np.float32)


def around(centres: Floats, sizes: Floats) -> Floats:
    """Return boxes by their corners (N x 4)."""
    return np.hstack([centres - sizes / 2, centres + sizes / 2])
