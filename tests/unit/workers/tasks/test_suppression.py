"""Of boxes that overlap, the best one of each class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.tasks.suppression import suppress

Box = Sequence[float]


def kept(
    boxes: Sequence[Box], classes: list[int], scores: list[float], iou: float = 0.45
) -> list[int]:
    found = suppress(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(classes, np.int64),
        np.array(scores, np.float32),
        iou,
    )
    places: list[int] = found.tolist()
    return places


def plain(boxes: npt.NDArray[np.float64], classes: list[int], iou: float) -> list[int]:
    """A loop over boxes from the best down, as anybody would write it."""
    places: list[int] = []
    for at, (x1, y1, x2, y2) in enumerate(boxes):
        for other in places:
            a1, b1, a2, b2 = boxes[other]
            both = max(0, min(x2, a2) - max(x1, a1)) * max(0, min(y2, b2) - max(y1, b1))
            either = (x2 - x1) * (y2 - y1) + (a2 - a1) * (b2 - b1) - both
            if classes[at] == classes[other] and both / either > iou:
                break
        else:
            places.append(at)
    return places


SQUARE = (0.0, 0.0, 10.0, 10.0)


def test_one_that_overlaps_a_better_one_of_its_class_is_left_out() -> None:
    assert kept([SQUARE, (2, 0, 12, 10)], [1, 1], [0.5, 0.9]) == [1]


def test_boxes_of_two_classes_stay() -> None:
    assert kept([SQUARE, SQUARE], [1, 2], [0.5, 0.9]) == [1, 0]


def test_the_best_come_first_and_equal_ones_in_their_order() -> None:
    apart = [(20.0 * at, 0, 20.0 * at + 10, 10) for at in range(5)]
    assert kept(apart, [0] * 5, [0.5, 0.7, 0.5, 0.9, 0.7]) == [3, 1, 4, 0, 2]


def test_an_overlap_of_the_limit_stays() -> None:
    half = (0.0, 0.0, 10.0, 5.0)
    assert kept([SQUARE, half], [0, 0], [0.9, 0.8], iou=0.5) == [0, 1]
    assert kept([SQUARE, half], [0, 0], [0.9, 0.8], iou=0.49) == [0]


def test_no_boxes_are_none() -> None:
    assert kept([], [], []) == []


def test_a_box_beyond_the_left_edge_does_not_meet_another_class() -> None:
    """OpenCV moves each class by the largest coordinate: into the class before, from below 0."""
    assert kept([(61, 61, 161, 161), (-100, -100, 0, 0)], [0, 1], [0.9, 0.8]) == [0, 1]


@given(data=st.data())
@settings(deadline=None, max_examples=80)
def test_it_does_what_a_plain_loop_does(data: st.DataObject) -> None:
    """Sizes are such that no overlap is within a rounding of the limit."""
    corner, side = st.integers(-40, 80), st.integers(1, 60)
    rows = data.draw(st.lists(st.tuples(corner, corner, side, side), max_size=25))
    classes = data.draw(st.lists(st.integers(0, 3), min_size=len(rows), max_size=len(rows)))
    boxes = np.array([(x, y, x + w, y + h) for x, y, w, h in rows], np.float64).reshape(-1, 4)
    scores = np.linspace(1, 0.3, len(rows))
    iou = 0.4501
    assert kept(boxes.tolist(), classes, scores.tolist(), iou) == plain(boxes, classes, iou)
