"""Which models are refused by the shapes in their files, for which task."""

from __future__ import annotations

import re
from typing import Any

import pytest

from farm.hardware.rknn_file import describe
from farm.scheduler.model_fits import check_shapes
from tests.helpers.support import SHARED_DATA, worker_spec
from workers.errors import RuntimeFailure

IMAGE = (1, 3, 640, 640)
ZOO = [(1, count, side, side) for side in (80, 40, 20) for count in (64, 80, 1)]


def spec(task: str = "classify", **changes: Any) -> Any:
    return worker_spec(model="net.rknn", task=task, **changes)


@pytest.mark.parametrize("output", [(1, 1000), (1000,), (1, 1000, 1, 1), (1, 1, 1, 1000)])
def test_a_classifier_is_one(output: tuple[int, ...]) -> None:
    check_shapes(spec(), [IMAGE], [output])


@pytest.mark.parametrize(
    ("inputs", "outputs", "said"),
    [
        ([IMAGE], [(1, 68, 18)], "1 x 68 x 18"),
        ([IMAGE], [(1, 1)], "one score"),
        ([IMAGE], ZOO, "9 outputs"),
        ([IMAGE, (1, 5)], [(1, 10)], "2 inputs"),
    ],
)
def test_a_model_that_is_no_classifier_is_refused(inputs: Any, outputs: Any, said: str) -> None:
    with pytest.raises(RuntimeFailure, match=rf"^net\.rknn.*{said}"):
        check_shapes(spec(), inputs, outputs)


def test_a_detector_is_one() -> None:
    check_shapes(spec("detect"), [IMAGE], ZOO)


def test_a_classifier_is_no_detector() -> None:
    with pytest.raises(RuntimeFailure, match=r"net\.rknn.*1x1000.*classify"):
        check_shapes(spec("detect"), [IMAGE], [(1, 1000)])


def test_of_an_own_task_only_a_worker_knows() -> None:
    check_shapes(spec("mine:count"), [IMAGE], [(1, 68, 18), (3,)])
    with pytest.raises(RuntimeFailure, match="2 inputs"):
        check_shapes(spec("mine:count"), [IMAGE, IMAGE], [(1, 10)])


@pytest.mark.parametrize("task", ["classify", "detect"])
def test_a_file_that_tells_no_shapes_is_taken(task: str) -> None:
    check_shapes(spec(task), [], [])


@pytest.mark.data
def test_a_detector_of_the_vendors_converter_is_known_by_its_file() -> None:
    path = SHARED_DATA / "detect" / "lpd-yolov8n-rk3588.rknn"
    found = describe(path)
    assert found is not None
    check_shapes(spec("detect"), found.inputs, found.outputs)
    with pytest.raises(RuntimeFailure, match=f"{re.escape('net.rknn')}.*9 outputs"):
        check_shapes(spec(), found.inputs, found.outputs)
