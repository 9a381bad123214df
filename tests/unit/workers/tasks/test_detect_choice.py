"""Which family is chosen, and what is refused, with what was expected."""

from __future__ import annotations

from typing import Any

import pytest

from workers.errors import RuntimeFailure
from workers.tasks.detect_choice import FORMS, resolve
from workers.tasks.detect_families import ANCHORS, Shape
from workers.tasks.detect_options import FAMILIES, parse

SQUARE = (640, 640)
OWN = [[[1, 2], [3, 4], [5, 6]]] * 3


def grids(*channels: int, batch: tuple[int, ...] = (1,)) -> list[Shape]:
    """Outputs of so many channels for each stride of 640 x 640."""
    return [(*batch, count, 640 // at, 640 // at) for at in (8, 16, 32) for count in channels]


def last(shapes: list[Shape]) -> list[Shape]:
    """The same with their channels last."""
    return [(batch, rows, columns, count) for batch, count, rows, columns in shapes]


@pytest.mark.parametrize(
    ("shapes", "options", "family", "classes"),
    [
        (grids(255), {}, "yolov5", 80),
        (grids(255), {"family": "yolov7"}, "yolov7", 80),
        (grids(24), {"family": "yolox"}, "yolox", 19),
        (grids(85), {}, "yolox", 80),
        (grids(64, 80, 1), {}, "yolov8", 80),
        (grids(64, 80), {}, "yolov8", 80),
        (grids(64, 80), {"family": "yolov10"}, "yolov10", 80),
        (grids(64, 1, 1), {"family": "yolo11"}, "yolo11", 1),
        (grids(64, 4, 1), {"family": "yolov6"}, "yolov6", 64),
        (grids(64, 4, 1), {"family": "yolov8"}, "yolov8", 4),
        (grids(68, 4), {"family": "yolov6"}, "yolov6", 4),
        (grids(4, 80, 1, batch=()), {}, "yolov6", 80),
        (last(grids(64, 80, 1)), {}, "yolov8", 80),
        (grids(64, 80, 1)[::-1], {}, "yolov8", 80),
        ([(1, 84, 8400)], {}, "raw_v8", 80),
        ([(1, 8400, 84)], {"family": "raw_v8"}, "raw_v8", 80),
        ([(1, 8400, 5)], {}, "raw_v8", 1),
        ([(1, 8400, 85)], {}, "raw_yolox", 80),
        ([(1, 85, 8400)], {"family": "raw_yolox"}, "raw_yolox", 80),
        ([(1, 25200, 85)], {}, "raw_v5", 80),
        ([(1, 85, 25200)], {}, "raw_v5", 80),
        ([(1, 300, 6)], {}, "e2e", None),
        ([(1, 8400, 6)], {}, "raw_yolox", 1),
        ([(1, 8400, 6)], {"family": "e2e"}, "e2e", None),
        ([(0, 6)], {}, "e2e", None),
    ],
)
def test_a_family_is_told_from_shapes_or_named(
    shapes: list[Shape], options: dict[str, Any], family: str, classes: int | None
) -> None:
    found = resolve(shapes, SQUARE, parse(options))
    assert (found.family, found.classes) == (family, classes)


def refusal(shapes: list[Shape], size: tuple[int, int] = SQUARE, **options: Any) -> str:
    with pytest.raises(RuntimeFailure) as raised:
        resolve(shapes, size, parse(options))
    return str(raised.value)


@pytest.mark.parametrize(
    ("shapes", "size", "families"),
    [
        (grids(64, 4, 1), SQUARE, "yolov8 or of yolov6"),
        (grids(64, 68), SQUARE, "yolov8 or of yolov6"),
        ([(1, 84, 84)], (64, 64), "raw_v8 or of raw_yolox"),
        ([(1, 63, 21)], (32, 32), "raw_v8 or of raw_v5"),
    ],
)
def test_shapes_of_two_families_are_refused_until_one_is_named(
    shapes: list[Shape], size: tuple[int, int], families: str
) -> None:
    said = refusal(shapes, size)
    assert families in said
    for family in families.split(" or of "):
        assert resolve(shapes, size, parse({"family": family})).family == family


@pytest.mark.parametrize("family", FAMILIES[1:])
def test_another_family_than_the_named_one_is_told(family: str) -> None:
    is_v8 = family in ("yolov8", "yolo11", "yolov10")
    shapes, told = (grids(85), "yolox") if is_v8 else (grids(64, 80, 1), "yolov8")
    said = refusal(shapes, family=family)
    assert f"those of {told}, not of {family}" in said
    assert "x".join(map(str, shapes[0])) in said
    assert FORMS[family].format(cells=8400, anchors=25200) in said


@pytest.mark.parametrize(
    "shapes",
    [
        [],
        grids(64, 80, 1)[:5],
        [(1, 116, 8400), (1, 32, 160, 160)],  # ultralytics' segmentation
        [*grids(64, 80, 1, 32), (1, 32, 160, 160)],  # the vendor's
        [*grids(65), (1, 17, 3, 8400)],  # its poses
        [*grids(79), (1, 1, 8400)],  # its turned boxes
    ],
)
def test_models_that_are_no_plain_detectors_are_refused(shapes: list[Shape]) -> None:
    said = refusal(shapes)
    assert "fit no detector" in said
    assert "segmentation, poses and turned boxes" in said


@pytest.mark.parametrize("shapes", [[(1, 1000)], [(1000,)], [(1, 1000, 1, 1)], [(1, 6)], [()]])
@pytest.mark.parametrize("family", ["auto", "e2e", "raw_v8"])
def test_for_a_classifier_its_task_is_named(shapes: list[Shape], family: str) -> None:
    assert "--task classify" in refusal(shapes, family=family)


def test_what_was_expected_is_told_with_the_inputs_grids() -> None:
    said = refusal(grids(64, 80, 1), (640, 384))
    assert "1x64x80x80, 1x80x80x80, 1x1x80x80" in said
    assert "48x80, 24x40, 12x20" in said
    assert "1 x (4 + n) x 5040, 1 x 15120 x (5 + n)" in said
    assert "no multiple of 32" in refusal([(1, 84, 8400)], (650, 640))


def test_outputs_some_of_which_have_their_channels_last_are_refused() -> None:
    shapes = grids(64, 80, 1)
    assert "fit no detector" in refusal([*shapes[:-1], *last(shapes[-1:])])


def test_anchors_are_those_of_the_published_models_or_own_ones() -> None:
    assert resolve(grids(255), SQUARE, parse({})).anchors == ANCHORS["yolov5"]
    assert resolve(grids(255), SQUARE, parse({"family": "yolov7"})).anchors == ANCHORS["yolov7"]
    options = parse({"anchors": OWN})
    assert resolve(grids(255), SQUARE, options).anchors == options.anchors


@pytest.mark.parametrize("shapes", [grids(85), grids(64, 80, 1), [(1, 25200, 85)], [(1, 300, 6)]])
def test_anchors_of_a_family_that_has_none_are_refused(shapes: list[Shape]) -> None:
    assert refusal(shapes, anchors=OWN).startswith("anchors: ")


def test_every_family_has_its_form() -> None:
    assert sorted(FORMS) == sorted(FAMILIES[1:])
