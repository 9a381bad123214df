"""Answers are what real clients read out of them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tritonclient.http import InferenceServerClient

from farm.results.result import DetectedObject, Prediction, Result
from farm.serving.oip_model import Model
from farm.serving.oip_request import Inference, Wanted
from farm.serving.oip_response import respond
from tests.helpers.results import HEN, TENCH, classified, detected, failed
from tests.helpers.triton import texts

CLASSIFIER = Model("m", "classify", "onnx")
DETECTOR = Model("m", "detect", "onnx")
LABELS = st.none() | st.text(max_size=20)
SCORES = st.floats(0, 1, width=32)
EDGES = st.floats(0, 10_000, width=32)
TOP5 = st.lists(st.builds(Prediction, st.integers(0, 999), LABELS, SCORES), max_size=5)
OBJECTS = st.lists(
    st.builds(DetectedObject, st.integers(0, 79), LABELS, SCORES, st.tuples(*[EDGES] * 4)),
    max_size=4,
)


def asked(model: Model, *, binary: bool, request_id: str | None = None) -> Inference:
    wanted = tuple(Wanted(each, binary) for each in model.outputs)
    return Inference(id=request_id, items=[], wanted=wanted, timeout=None)


def read(model: Model, results: list[Result], *, binary: bool) -> dict[str, Any]:
    """What tritonclient makes of an answer: its tensors."""
    body, size = respond(model, asked(model, binary=binary), results)
    answer = InferenceServerClient.parse_response_body(body, header_length=size)
    return {each.name: answer.as_numpy(each.name) for each in model.outputs}


@given(st.lists(TOP5, min_size=1, max_size=4), st.booleans())
def test_a_client_reads_the_classes(images: list[list[Prediction]], binary: bool) -> None:
    found = read(CLASSIFIER, [classified(*top5) for top5 in images], binary=binary)
    for at, top5 in enumerate(images):
        ranked = len(top5)
        assert found["classes"][at].tolist()[:ranked] == [each.class_id for each in top5]
        assert found["scores"][at].tolist()[:ranked] == [each.score for each in top5]
        assert texts(found["labels"][at])[:ranked] == [each.label or "" for each in top5]
        assert found["classes"][at].tolist()[ranked:] == [-1] * (5 - ranked)
    assert found["scores"].dtype == np.float32
    assert found["classes"].dtype == np.int64


@given(st.lists(OBJECTS, min_size=1, max_size=4), st.booleans())
def test_a_client_reads_the_objects(images: list[list[DetectedObject]], binary: bool) -> None:
    found = read(DETECTOR, [detected(*objects) for objects in images], binary=binary)
    assert found["counts"].tolist() == [len(objects) for objects in images]
    for at, objects in enumerate(images):
        boxes = found["boxes"][at].tolist()[: len(objects)]
        assert boxes == [list(each.box) for each in objects]
        assert texts(found["labels"][at])[: len(objects)] == [each.label or "" for each in objects]
        assert found["sizes"][at].tolist() == [640, 480]


def test_json_and_binary_outputs_come_in_one_answer() -> None:
    model = CLASSIFIER
    wanted = tuple(Wanted(each, each.name in ("scores", "errors")) for each in model.outputs)
    request = Inference(id="42", items=[], wanted=wanted, timeout=None)
    body, size = respond(model, request, [classified(TENCH, HEN), failed("empty", "none")])
    answer = InferenceServerClient.parse_response_body(body, header_length=size)
    assert answer.get_response()["id"] == "42"
    assert answer.get_response()["model_name"] == "m"
    assert answer.get_response()["model_version"] == "1"
    assert answer.as_numpy("scores").tolist()[0] == [0.5, 0.25, 0, 0, 0]
    assert answer.as_numpy("classes").tolist()[0] == [3, 0, -1, -1, -1]
    assert answer.as_numpy("errors").tolist() == [b"", b"empty: none"]


def test_without_an_id_there_is_none() -> None:
    body, size = respond(CLASSIFIER, asked(CLASSIFIER, binary=False), [classified(TENCH)])
    assert size is None
    assert "id" not in json.loads(body)
    assert "parameters" not in json.loads(body)


def test_make_believe_is_said() -> None:
    results = [classified(TENCH, simulated=True)]
    body, _ = respond(CLASSIFIER, asked(CLASSIFIER, binary=False), results)
    assert json.loads(body)["parameters"] == {"simulated": True}


@pytest.mark.parametrize("binary", [True, False])
def test_half_a_character_of_a_label_breaks_no_answer(binary: bool) -> None:
    """A labels file of JSON may have one."""
    found = read(CLASSIFIER, [classified(Prediction(0, "a\ud800b", 0.5))], binary=binary)
    assert texts(found["labels"])[0][0] == "a?b"
