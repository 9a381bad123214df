"""Whose outputs a model's may be, as their shapes tell; pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Final

from workers.tasks.detect_options import Anchors

STRIDES: Final = (8, 16, 32)  # input pixels per cell, of every family here
E2E: Final = "e2e"
ANCHORS: Final[dict[str, Anchors]] = {  # of the published models
    "yolov5": (
        ((10, 13), (16, 30), (33, 23)),
        ((30, 61), (62, 45), (59, 119)),
        ((116, 90), (156, 198), (373, 326)),
    ),
    "yolov7": (
        ((12, 16), (19, 36), (40, 28)),
        ((36, 75), (76, 55), (72, 146)),
        ((142, 110), (192, 243), (459, 401)),
    ),
}
# Channels of a box: distances to its four sides, each a number or a distribution over 16 or 17.
BOX_CHANNELS: Final = {
    "yolov6": (4, 68),
    "yolov8": (64,),
    "yolo11": (64,),
    "yolov10": (64,),
}
TOLD: Final = ("yolov6", "yolov8")  # the others have the shapes of yolov8

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """One stride's cells, and the places of their boxes, scores and sums among the outputs."""

    stride: int
    rows: int
    columns: int
    boxes: int
    scores: int
    total: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a model's outputs are read.

    A cell's box and scores are in an output's `channels`: those of each output, which are its last
    axis or come before the cells. `classes` is None where the shapes don't tell. `told` is False of
    a reading that has to be named, as long as there is another.
    """

    family: str
    channels: tuple[int, ...]
    channels_last: bool
    classes: int | None
    grids: tuple[Grid, ...] = ()
    anchors: Anchors | tuple[()] = ()
    told: bool = True


def readings(shapes: Sequence[Shape], size: tuple[int, int]) -> list[Reading]:
    """Return all ways to read outputs of these shapes, of an input of `size` (width, height)."""
    return list(of_one(shapes[0], size) if len(shapes) == 1 else of_grids(shapes, size))


def of_one(shape: Shape, size: tuple[int, int]) -> Iterator[Reading]:
    """Yield how to read one output of all cells, or of boxes, by channels.

    One that has its two axes the other way round than every export must be named, unless nothing
    else has that shape.
    """
    if (axes := table(shape)) is None:
        return
    grids = cells_of(size)
    cells = sum(grid.rows * grid.columns for grid in grids) or math.nan
    for channels_last in (False, True):
        length, channels = axes if channels_last else reversed(axes)
        if length == cells and channels > 4:
            yield Reading(
                family="raw_v8",
                channels=(channels,),
                channels_last=channels_last,
                classes=channels - 4,
                told=not channels_last,
            )
        for family, count, of in (("raw_v5", 3 * cells, ()), ("raw_yolox", cells, grids)):
            if length == count and channels > 5:
                yield Reading(
                    family=family,
                    channels=(channels,),
                    channels_last=channels_last,
                    classes=channels - 5,
                    grids=of,
                    told=channels_last,
                )
    # One row of six without a batch would be a classifier's. No export has a box for each cell.
    if axes[1] == 6 and shape not in ((6,), (1, 6)):
        told = axes[0] not in (cells, 3 * cells)
        yield Reading(family=E2E, channels=(6,), channels_last=True, classes=None, told=told)


def of_grids(shapes: Sequence[Shape], size: tuple[int, int]) -> Iterator[Reading]:
    """Yield how to read outputs that are one, two or three for each stride, in any order."""
    for channels_last in (False, True):
        planes = [plane(shape, channels_last) for shape in shapes]
        channels = tuple(axes[0] for axes in planes)
        parts = [
            (grid, [at for at, axes in enumerate(planes) if axes[1:] == (grid.rows, grid.columns)])
            for grid in cells_of(size)
        ]
        count = {len(places) for _, places in parts}
        if (len(shapes), count) == (3, {1}) and len(set(channels)) == 1:
            grids = tuple(replace(grid, boxes=at, scores=at) for grid, (at,) in parts)
            yield from with_objectness(channels, channels_last, grids)
        elif (len(shapes), count) in ((6, {2}), (9, {3})):
            strides = [roles(*part, channels) for part in parts]
            yield from by_sides(channels, channels_last, strides)


def with_objectness(
    channels: tuple[int, ...], channels_last: bool, grids: tuple[Grid, ...]
) -> Iterator[Reading]:
    """Yield how to read one output for each stride: box, objectness, classes, for each anchor."""
    count = channels[0]
    anchored = count % 3 == 0 and count > 3 * 5
    families = (*ANCHORS, "yolox") if anchored else ("yolox",) if count > 5 else ()
    for family in families:
        yield Reading(
            family=family,
            channels=channels,
            channels_last=channels_last,
            classes=count // 3 - 5 if family in ANCHORS else count - 5,
            grids=grids,
            told=family == families[0],
        )


Roles = dict[tuple[int, int], Grid]  # by how many channels its boxes and its scores have


def roles(grid: Grid, places: Sequence[int], channels: Sequence[int]) -> Roles:
    """Return what the two or three outputs of a grid may be: boxes, scores, and their sum.

    Of outputs with as many channels, the one of boxes comes first, the one of sums last: every
    export has that order.
    """
    found: Roles = {}
    for boxes, scores, *total in permutations(places):
        if not total or channels[total[0]] == 1:
            role = replace(grid, boxes=boxes, scores=scores, total=total[0] if total else None)
            found.setdefault((channels[boxes], channels[scores]), role)
    return found


def by_sides(
    channels: tuple[int, ...], channels_last: bool, strides: Sequence[Roles]
) -> Iterator[Reading]:
    """Yield how to read outputs of which one has the distances to a box's four sides."""
    for boxes, classes in strides[0]:
        if all((boxes, classes) in stride for stride in strides):
            for family, takes in BOX_CHANNELS.items():
                if boxes in takes:
                    yield Reading(
                        family=family,
                        channels=channels,
                        channels_last=channels_last,
                        classes=classes,
                        grids=tuple(stride[boxes, classes] for stride in strides),
                        told=family in TOLD,
                    )


def table(shape: Shape) -> tuple[int, int] | None:
    """Return the rows and columns of an output, whatever axes of length 1 it has; or None."""
    long = tuple(length for length in shape if length != 1)
    rows, columns = long if len(long) == 2 else (1, 1, *shape)[-2:]
    return (rows, columns) if rows * columns == math.prod(shape) else None


def plane(shape: Shape, channels_last: bool) -> Shape:
    """Return an output's channels, rows and columns; only a 0 if it has other axes."""
    axes = shape[1:] if len(shape) == 4 and shape[0] == 1 else shape
    if len(axes) != 3:
        return (0,)
    return (axes[2], *axes[:2]) if channels_last else axes


def cells_of(size: tuple[int, int]) -> tuple[Grid, ...]:
    """Return the grids of an input of this width and height; none of one that no model has."""
    width, height = size
    if width % STRIDES[-1] or height % STRIDES[-1]:
        return ()
    return tuple(
        Grid(stride=stride, rows=height // stride, columns=width // stride, boxes=at, scores=at)
        for at, stride in enumerate(STRIDES)
    )
