"""Answers as tensors: what each kind of task has, and what stands where there is nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from farm.results.result import Prediction, Result
from farm.serving.oip_outputs import CLASSIFIED, DETECTED, OWN, Output, outputs_of
from tests.helpers.results import BUS, HEN, PERSON, TENCH, classified, detected, failed, result

BAD = failed("truncated", "cut short")


def tensors(outputs: tuple[Output, ...], *results: Result) -> dict[str, tuple[Any, ...]]:
    made = [each.tensor(results) for each in outputs]
    return {each.name: (each.datatype, each.shape, each.data) for each in made}


def test_a_classifier_has_five_classes_for_each_image() -> None:
    assert tensors(CLASSIFIED, classified(TENCH, HEN), BAD) == {
        "classes": ("INT64", (2, 5), [3, 0, -1, -1, -1] + [-1] * 5),
        "scores": ("FP32", (2, 5), [0.5, 0.25, 0.0, 0.0, 0.0] + [0.0] * 5),
        "labels": ("BYTES", (2, 5), ["tench, Tinca tinca", "hen", "", "", ""] + [""] * 5),
        "errors": ("BYTES", (2,), ["", "truncated: cut short"]),
    }


def test_a_detector_has_as_many_objects_as_the_image_with_most() -> None:
    found = tensors(DETECTED, detected(PERSON), BAD, detected(BUS, PERSON))
    assert found == {
        "boxes": (
            "FP32",
            (3, 2, 4),
            [0.0, 0.0, 10.0, 20.0] + [0.0] * 12 + [1.0, 2.0, 30.5, 40.25, 0.0, 0.0, 10.0, 20.0],
        ),
        "classes": ("INT64", (3, 2), [0, -1, -1, -1, 5, 0]),
        "scores": ("FP32", (3, 2), [0.87, 0.0, 0.0, 0.0, 0.88, 0.87]),
        "labels": ("BYTES", (3, 2), ["person", "", "", "", "bus", "person"]),
        "counts": ("INT64", (3,), [1, 0, 2]),
        "sizes": ("INT64", (3, 2), [640, 480, 0, 0, 640, 480]),
        "errors": ("BYTES", (3,), ["", "truncated: cut short", ""]),
    }


def test_images_without_objects_have_empty_boxes() -> None:
    assert tensors(DETECTED, detected())["boxes"] == ("FP32", (1, 0, 4), [])


def test_an_own_output_is_json() -> None:
    output: dict[str, Any] = {"level": 0.5, "raw": b"\xff", "text": "\udcff"}
    found = tensors(OWN, result(output=output), BAD)
    assert found["output"][:2] == ("BYTES", (2,))
    assert json.loads(found["output"][2][0]) == {"level": 0.5, "raw": "/w==", "text": "\udcff"}
    assert found["output"][2][1] == ""
    assert found["errors"][2] == ["", "truncated: cut short"]


def test_a_class_as_text_is_triton_s() -> None:
    scores = CLASSIFIED[1]
    images = [classified(TENCH, Prediction(9, None, 1 / 3)), BAD]
    found = scores.tensor(images, ranked=3)
    assert (found.name, found.datatype, found.shape) == ("scores", "BYTES", (2, 3))
    assert found.data == ["0.500000:3:tench, Tinca tinca", "0.333333:9", "", "", "", ""]
    assert scores.tensor(images, ranked=1).data == ["0.500000:3:tench, Tinca tinca", ""]


@pytest.mark.parametrize(
    ("task", "outputs"), [("classify", CLASSIFIED), ("detect", DETECTED), ("my.module:task", OWN)]
)
def test_each_kind_of_task_has_its_outputs(task: str, outputs: tuple[Output, ...]) -> None:
    assert outputs_of(task) == outputs
    assert len({each.name for each in outputs}) == len(outputs)
