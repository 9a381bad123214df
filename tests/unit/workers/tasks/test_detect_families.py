"""Whose outputs a model's may be: all ways to read its shapes."""

from __future__ import annotations

import pytest

from workers.tasks.detect_families import Shape, readings, table

SIZE = (640, 384)  # width, height: 5040 cells


def grids(*channels: int) -> list[Shape]:
    """Outputs of so many channels for each stride, in the order of the vendor's exports."""
    return [
        (1, count, 384 // stride, 640 // stride) for stride in (8, 16, 32) for count in channels
    ]


def found(shapes: list[Shape]) -> dict[str, int | None]:
    """The families whose outputs these may be, and their classes, those told by shape first."""
    all_ = sorted(readings(shapes, SIZE), key=lambda reading: not reading.told)
    return {reading.family: reading.classes for reading in reversed(all_)}


def test_outputs_of_one_stride_are_told_apart_by_their_channels() -> None:
    for reading in readings(grids(64, 80, 1)[::-1], SIZE):
        places = [(grid.stride, grid.boxes, grid.scores, grid.total) for grid in reading.grids]
        assert places == [(8, 8, 7, 6), (16, 5, 4, 3), (32, 2, 1, 0)]


@pytest.mark.parametrize(
    ("channels", "places"),
    [((64, 1, 1), (0, 1, 2)), ((64, 64, 1), (0, 1, 2)), ((1, 64, 64), (1, 2, 0))],
)
def test_of_equal_channels_boxes_come_first_and_sums_last(
    channels: tuple[int, ...], places: tuple[int, ...]
) -> None:
    """With one class, scores and sums look alike; with 64, boxes and scores."""
    reading = readings(grids(*channels), SIZE)[0]
    grid = reading.grids[0]
    assert (grid.boxes, grid.scores, grid.total) == places


@pytest.mark.parametrize(
    ("shapes", "families"),
    [
        (grids(64, 80, 1), {"yolov8": 80, "yolo11": 80, "yolov10": 80}),
        (grids(64, 80), {"yolov8": 80, "yolo11": 80, "yolov10": 80}),
        (grids(64, 1, 1), {"yolov8": 1, "yolo11": 1, "yolov10": 1}),
        (grids(4, 80, 1), {"yolov6": 80}),
        (grids(68, 80), {"yolov6": 80}),
        (grids(4, 64), {"yolov6": 64, "yolov8": 4, "yolo11": 4, "yolov10": 4}),
        (grids(255), {"yolov5": 80, "yolov7": 80, "yolox": 250}),
        (grids(85), {"yolox": 80}),
        (grids(6), {"yolox": 1}),
        (grids(5), {}),
        (grids(65, 80, 1), {}),
        (grids(64, 80, 2), {}),
        (grids(64, 80, 1)[:8], {}),
        ([*grids(64, 80)[:5], (1, 81, 12, 20)], {}),
        ([*grids(85)[:2], (1, 86, 12, 20)], {}),
        (grids(85)[:2] * 2, {}),
        ([(2, *shape[1:]) for shape in grids(85)], {}),
        ([(1, 84, 5040)], {"raw_v8": 80, "raw_yolox": 79}),
        ([(1, 85, 5040)], {"raw_v8": 81, "raw_yolox": 80}),
        ([(1, 85, 15120)], {"raw_v5": 80}),
        ([(1, 5040, 85)], {"raw_v8": 81, "raw_yolox": 80}),
        ([(1, 15120, 85)], {"raw_v5": 80}),
        ([(1, 5, 5040)], {"raw_v8": 1}),
        ([(1, 300, 6)], {"e2e": None}),
        ([(1, 5040, 6)], {"raw_v8": 2, "raw_yolox": 1, "e2e": None}),
        ([(1, 84, 5041)], {}),
        ([(2, 84, 5040)], {}),
        ([(1, 300, 7)], {}),
        ([(1, 6)], {}),
        ([(6,)], {}),
        ([(1, 1000)], {}),
        ([], {}),
    ],
)
def test_the_families_that_have_such_outputs(
    shapes: list[Shape], families: dict[str, int | None]
) -> None:
    assert found(shapes) == families


def test_an_input_that_is_no_multiple_of_the_largest_stride_has_only_end_to_end_models() -> None:
    for size in ((650, 384), (640, 390)):
        assert readings([(1, 84, 5040)], size) == []
        for count in (0, 300):
            all_ = readings([(1, count, 6)], size)
            assert [(each.family, each.told) for each in all_] == [("e2e", True)]


def test_width_and_height_are_not_the_same() -> None:
    assert readings(grids(64, 80, 1), (384, 640)) == []


@pytest.mark.parametrize(
    ("shape", "rows"),
    [
        ((1, 84, 5040), (84, 5040)),
        ((84, 5040), (84, 5040)),
        ((1, 84, 5040, 1), (84, 5040)),
        ((1, 1, 84, 5040), (84, 5040)),
        ((1, 0, 6), (0, 6)),
        ((1, 1, 6), (1, 6)),
        ((7,), (1, 7)),
        ((), (1, 1)),
        ((2, 3, 4), None),
        ((1, 7, 1, 1), None),
    ],
)
def test_the_rows_and_columns_of_a_table(shape: Shape, rows: tuple[int, int] | None) -> None:
    assert table(shape) == rows
