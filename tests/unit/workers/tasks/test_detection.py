"""A detector's boxes in the image's pixels, and the models that the task refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from workers.errors import RuntimeFailure
from workers.images.fit import ImageInfo
from workers.protocol.messages import Detected, ItemError
from workers.tasks.detection import detection
from workers.tasks.task import Model

SIDE = 320
# A 640 x 320 image in a letterbox of 320 x 320: half as large, 80 rows of grey above and below.
INFO = ImageInfo(640, 320, (0.5, 0.5), (0.0, 80.0))


def end_to_end(*rows: tuple[float, ...]) -> npt.NDArray[np.float32]:
    return np.array([rows], np.float32).reshape(1, -1, 6)


def model(*outputs: npt.NDArray[Any]) -> Model:
    return Model("net.onnx", outputs, SIDE, SIDE)


def found_in(*rows: tuple[float, ...], **options: Any) -> Any:
    task = detection(options)(model(end_to_end((0, 0, 1, 1, 0, 0))))
    (found,) = task.answer([((end_to_end(*rows),), INFO)])
    return found


def test_boxes_are_in_pixels_of_the_image_the_best_first() -> None:
    found = found_in((10, 90, 30, 130, 0.5, 3), (0, 80, 320, 240, 0.75, 1))
    assert found == Detected(
        (640, 320),
        ((1, 0.75, (0.0, 0.0, 640.0, 320.0)), (3, 0.5, (20.0, 20.0, 60.0, 100.0))),
    )


def test_a_box_ends_where_the_image_does_and_one_beside_it_is_left_out() -> None:
    found = found_in((-10, 70, 30, 100, 0.75, 0), (100, 10, 200, 70, 0.5, 0))
    assert found.objects == ((0, 0.75, (0.0, 0.0, 60.0, 40.0)),)


def test_nothing_found_is_an_answer() -> None:
    assert found_in((0, 90, 10, 100, 0.01, 0)) == Detected((640, 320), ())


def test_options_decide_what_is_found() -> None:
    rows = ((10, 90, 30, 130, 0.5, 3), (50, 90, 70, 130, 0.1, 4))
    assert [number for number, *_ in found_in(*rows, score=0.05).objects] == [3, 4]
    assert [number for number, *_ in found_in(*rows, score=0.05, classes=[4]).objects] == [4]
    assert [number for number, *_ in found_in(*rows, score=0.05, limit=1).objects] == [3]


def test_outputs_of_half_precision_are_taken() -> None:
    task = detection({})(model(end_to_end((0, 0, 1, 1, 0, 0)).astype(np.float16)))
    rows = end_to_end((10, 90, 30, 130, 0.5, 3)).astype(np.float16)
    (found,) = task.answer([((rows,), INFO)])
    assert isinstance(found, Detected)
    assert found.objects == ((3, 0.5, (20.0, 20.0, 60.0, 100.0)),)


def test_an_image_with_impossible_scores_has_an_error_of_its_own() -> None:
    task = detection({})(model(end_to_end((0, 0, 1, 1, 0, 0))))
    bad, good = end_to_end((0, 0, 9, 9, 7, 0)), end_to_end((0, 90, 9, 99, 0.7, 0))
    found = task.answer([((bad,), INFO), ((good,), INFO)])
    assert [type(each) for each in found] == [ItemError, Detected]
    assert isinstance(found[0], ItemError)
    assert found[0].kind == "bad_output"


def test_what_travels_is_plain_numbers() -> None:
    ((number, score, box),) = found_in((10, 90, 30, 130, 0.5, 3)).objects
    assert [type(part) for part in (number, score, *box)] == [int, *[float] * 5]


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        ([np.zeros((1, 1000), np.float32)], r"^net\.onnx: .*1x1000.*classify"),
        ([np.zeros((1, 20, 6), np.uint8)], r"^net\.onnx returns uint8"),
        ([np.zeros((1, 3, 7), np.float32)] * 4, r"^net\.onnx: "),
    ],
)
def test_a_model_that_is_no_detector_is_refused(outputs: list[npt.NDArray[Any]], said: str) -> None:
    with pytest.raises(RuntimeFailure, match=said):
        detection({})(model(*outputs))


def test_the_reading_is_the_family() -> None:
    task = detection({})(model(end_to_end((0, 0, 1, 1, 0, 0))))
    assert (task.reading, task.classes) == ("e2e", 0)
    task = detection({})(model(np.zeros((1, 84, 2100), np.float32)))
    assert (task.reading, task.classes) == ("raw_v8", 80)
