"""Requests as real clients write them are read; others are refused with what to do."""

from __future__ import annotations

import json
import math
import sys
import tracemalloc
from base64 import b64encode
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tritonclient.http import InferenceServerClient, InferInput

from farm.serving.oip_model import Model
from farm.serving.oip_request import Inference, parse
from farm.serving.service import RequestError
from tests.helpers import triton
from tests.helpers.programs import run
from tests.helpers.triton import encoded, outputs

CLASSIFIER = Model("m", "classify", "onnx")
DETECTOR = Model("m", "detect", "onnx")
JPEG = b"\xff\xd8\xff\x00 and more"
PNG = b"\x89PNG"
RGB = np.arange(2 * 3 * 4 * 3, dtype=np.uint8).reshape(2, 3, 4, 3)


def sent(*inputs: InferInput, model: Model = CLASSIFIER, **options: Any) -> Inference:
    """What is read of tritonclient's body."""
    body, size = InferenceServerClient.generate_request_body(list(inputs), **options)
    return parse(body, None if size is None else str(size), model, most=8)


def said(request: Any, model: Model = CLASSIFIER) -> Inference:
    """What is read of a request of JSON."""
    return parse(json.dumps(request).encode(), None, model, most=8)


def tensor(data: Any = None, **changes: Any) -> dict[str, Any]:
    data = [b64encode(JPEG).decode()] if data is None else data
    return {"name": "images", "datatype": "BYTES", "shape": [1], "data": data, **changes}


def pixels(data: Any, **changes: Any) -> dict[str, Any]:
    return {"name": "pixels", "datatype": "UINT8", "shape": [2, 3, 4, 3], "data": data, **changes}


@given(st.lists(st.binary(max_size=100), min_size=1, max_size=8), st.booleans())
def test_binary_images_come_out_as_they_went_in(data: list[bytes], column: bool) -> None:
    assert sent(encoded(*data, column=column)).items == data


@given(st.lists(st.binary(max_size=100), min_size=1, max_size=8), st.booleans(), st.booleans())
def test_base64_images_come_out_as_they_went_in(
    data: list[bytes], column: bool, nested: bool
) -> None:
    texts: list[Any] = [b64encode(each).decode() for each in data]
    shape = [len(data), 1] if column else [len(data)]
    values = [[text] for text in texts] if column and nested else texts
    assert said({"inputs": [tensor(values, shape=shape)]}).items == data


def test_a_client_s_texts_are_base64_in_json_mode() -> None:
    assert sent(encoded(JPEG, PNG, binary=False)).items == [JPEG, PNG]


@pytest.mark.parametrize("binary", [True, False])
def test_pixels_are_rgb_and_become_bgr(binary: bool) -> None:
    found = sent(triton.pixels(RGB, binary=binary)).items
    assert [np.asarray(each).tolist() for each in found] == RGB[..., ::-1].tolist()


def test_pixels_may_be_lists_in_lists() -> None:
    found = said({"inputs": [pixels(RGB.tolist())]}).items
    assert [np.asarray(each).tolist() for each in found] == RGB[..., ::-1].tolist()


def test_all_outputs_come_as_a_client_asks() -> None:
    names = ["classes", "scores", "labels", "errors"]
    request = {"inputs": [tensor()]}
    assert [(each.output.name, each.binary) for each in said(request).wanted] == [
        (name, False) for name in names
    ]
    # What tritonclient asks for if its caller names no outputs.
    found = said({**request, "parameters": {"binary_data_output": True}}).wanted
    assert [(each.output.name, each.binary) for each in found] == [(name, True) for name in names]


def test_outputs_are_chosen_one_by_one() -> None:
    asked = [*outputs("scores", binary=False, classes=3), *outputs("classes")]
    found = sent(encoded(JPEG), outputs=asked).wanted
    assert [(each.output.name, each.binary, each.ranked) for each in found] == [
        ("scores", False, 3),
        ("classes", True, 0),
    ]
    request = {
        "inputs": [tensor()],
        "outputs": [{"name": "labels"}],
        "parameters": {"binary_data_output": True},
    }
    (found_by_whole,) = said(request).wanted
    assert found_by_whole.binary


def test_id_and_time_limit_are_taken_over() -> None:
    found = sent(encoded(JPEG), request_id="42", timeout=1_500_000)
    assert (found.id, found.timeout) == ("42", 1.5)
    plain = said({"inputs": [tensor()], "parameters": {"timeout": 0}})
    assert (plain.id, plain.timeout) == (None, None)


def test_what_other_servers_know_changes_nothing() -> None:
    request = {
        "model_name": "m",
        "parameters": {"priority": 1, "sequence_id": "a", "mine": {"deep": [1]}},
        "inputs": [tensor(parameters={"content_type": "base64"})],
        "outputs": None,
    }
    assert said(request).items == [JPEG]


def test_the_size_of_the_only_binary_input_may_be_left_out() -> None:
    """As OpenVINO Model Server has it."""
    head = json.dumps({"inputs": [{"name": "images", "datatype": "BYTES", "shape": [1]}]}).encode()
    body = head + len(JPEG).to_bytes(4, "little") + JPEG
    assert parse(body, str(len(head)), CLASSIFIER, most=1).items == [JPEG]


BAD_REQUESTS: dict[str, tuple[dict[str, Any], str]] = {
    "no inputs": ({}, "inputs"),
    "an empty list of inputs": ({"inputs": []}, "0 inputs; send one: images, encoded, or pixels"),
    "both inputs": (
        {"inputs": [tensor(), pixels(RGB.flatten().tolist())]},
        "2 inputs; send one",
    ),
    "an input twice": ({"inputs": [tensor(), tensor()]}, "2 inputs; send one"),
    "an unknown input": ({"inputs": [tensor(name="input")]}, "the inputs are images and pixels"),
    "another datatype": ({"inputs": [tensor(datatype="FP32")]}, "use BYTES [n] or [n, 1]"),
    "another shape": ({"inputs": [tensor(shape=[1, 2])]}, "use BYTES [n] or [n, 1]"),
    "no images": ({"inputs": [tensor([], shape=[0])]}, "use BYTES [n] or [n, 1]"),
    "pixels of four channels": (
        {"inputs": [pixels([0] * 4, shape=[1, 1, 1, 4])]},
        "use UINT8 [n, height, width, 3]",
    ),
    "pixels of no height": ({"inputs": [pixels([], shape=[1, 0, 1, 3])]}, "use UINT8"),
    "too few values": (
        {"inputs": [pixels([0] * 71)]},
        "not whole numbers in the shape [2, 3, 4, 3]",
    ),
    "too many values": ({"inputs": [tensor(["", ""])]}, "2 texts are not of the shape [1]"),
    "lists of other lengths": (
        {"inputs": [pixels([[[[1, 2], [3, 4, 5, 6]]]], shape=[1, 1, 2, 3])]},
        "in the shape [1, 1, 2, 3]",
    ),
    "values above 255": ({"inputs": [pixels([256] * 72)]}, "255"),
    "numbers that are not whole": ({"inputs": [pixels([0.5] * 72)]}, "not whole numbers"),
    "a text in a list too many": ({"inputs": [tensor([["aGk="]])]}, "images are base64 texts"),
    "two texts in a list": (
        {"inputs": [tensor([["aGk=", "aGk="]], shape=[1, 1])]},
        "images are base64 texts",
    ),
    "texts that are no base64": ({"inputs": [tensor(["P3 1 1 255"])]}, "images are base64 texts"),
    "data that are null": ({"inputs": [tensor() | {"data": None}]}, "Expected `array`"),
    "no data": (
        {"inputs": [{"name": "images", "datatype": "BYTES", "shape": [1]}]},
        "no data",
    ),
    "binary data without their header": (
        {
            "inputs": [
                {
                    "name": "images",
                    "datatype": "BYTES",
                    "shape": [1],
                    "parameters": {"binary_data_size": 9},
                }
            ]
        },
        "need Inference-Header-Content-Length",
    ),
    "data and binary data": (
        {"inputs": [tensor(parameters={"binary_data_size": 9})]},
        "has data and binary data",
    ),
    "shared memory": (
        {"inputs": [tensor(parameters={"shared_memory_region": "a"})]},
        "no shared memory",
    ),
    "an unknown output": (
        {"inputs": [tensor()], "outputs": [{"name": "prob"}]},
        "the outputs are classes, scores, labels, errors",
    ),
    "an output twice": (
        {"inputs": [tensor()], "outputs": [{"name": "scores"}, {"name": "scores"}]},
        "name each once",
    ),
    "shared memory for an output": (
        {
            "inputs": [tensor()],
            "outputs": [{"name": "scores", "parameters": {"shared_memory_region": "a"}}],
        },
        "no shared memory",
    ),
    "six classes": (
        {
            "inputs": [tensor()],
            "outputs": [{"name": "scores", "parameters": {"classification": 6}}],
        },
        "this farm ranks 5 classes",
    ),
    "classes of labels": (
        {
            "inputs": [tensor()],
            "outputs": [{"name": "labels", "parameters": {"classification": 1}}],
        },
        "of the scores of a classifier",
    ),
    "a negative time": ({"inputs": [tensor()], "parameters": {"timeout": -1}}, "timeout"),
    "a number as id": ({"inputs": [tensor()], "id": 42}, "id"),
}


@pytest.mark.parametrize("name", BAD_REQUESTS)
def test_a_request_is_refused_with_words(name: str) -> None:
    request, words = BAD_REQUESTS[name]
    with pytest.raises(RequestError) as refused:
        said(request)
    assert words in str(refused.value)
    assert refused.value.status == 400


def test_a_million_numbers_are_read_and_more_are_to_be_sent_binary() -> None:
    million = [1, 1 << 10, 341, 3]
    assert len(said({"inputs": [pixels([7] * math.prod(million), shape=million)]}).items) == 1
    more = [1, 600, 600, 3]
    with pytest.raises(RequestError, match="use binary data") as refused:
        said({"inputs": [pixels([7] * math.prod(more), shape=more)]})
    assert refused.value.status == 413
    assert len(sent(triton.pixels(np.zeros(more, np.uint8))).items) == 1


@pytest.mark.parametrize(
    ("begin", "unit", "end"),
    [
        ('{"inputs":[', '{"name":"","shape":[],"datatype":""}', "]}"),
        ('{"inputs":[],"outputs":[', '{"name":""}', "]}"),
        ('{"inputs":[{"name":"images","datatype":"BYTES","shape":[', "1", "]}]}"),
        ('{"inputs":[{"name":"images","datatype":"BYTES","shape":[1],"data":[', '""', "]}]}"),
    ],
)
def test_of_many_values_nothing_is_made(begin: str, unit: str, end: str) -> None:
    """They would hold up everybody, and take ten times the body's memory."""
    body = (begin + ",".join([unit] * 1_100_000) + end).encode()
    tracemalloc.start()
    try:
        with pytest.raises(RequestError) as refused:
            parse(body, None, CLASSIFIER, most=8)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
    assert refused.value.status == 413


@pytest.mark.parametrize("text", ["[1 2,3]", "[01,2,3]", "[1,2,3,]", "[1,2,3]]", "[1,2[,3]]"])
def test_numbers_are_those_of_json(text: str) -> None:
    request = json.dumps({"inputs": [pixels("@", shape=[1, 1, 1, 3])]}).replace('"@"', text)
    with pytest.raises(RequestError):
        parse(request.encode(), None, CLASSIFIER, most=8)


def test_encoded_images_need_no_numpy() -> None:
    """Its import, and its copies, would be for nothing."""
    request = json.dumps({"inputs": [tensor()]})
    code = (
        "import sys\n"
        "from farm.serving.oip_model import Model\n"
        "from farm.serving.oip_request import parse\n"
        f"parse({request.encode()!r}, None, Model('m', 'classify', 'onnx'), most=1)\n"
        "sys.exit('numpy' in sys.modules)"
    )
    assert run(sys.executable, "-c", code).returncode == 0


def test_a_detector_gives_no_classification() -> None:
    asked = [{"name": "scores", "parameters": {"classification": 1}}]
    with pytest.raises(RequestError, match="of a classifier"):
        said({"inputs": [tensor()], "outputs": asked}, DETECTOR)


def test_more_images_than_allowed_are_refused() -> None:
    with pytest.raises(RequestError, match="9 images in one request; at most 8") as refused:
        sent(encoded(*[JPEG] * 9))
    assert refused.value.status == 413


def tensor_head(*, shape: list[int], size: int) -> dict[str, Any]:
    """An input whose data come after the JSON."""
    parameters = {"binary_data_size": size}
    return {"name": "images", "datatype": "BYTES", "shape": shape, "parameters": parameters}


ELEMENT = len(JPEG).to_bytes(4, "little") + JPEG


@pytest.mark.parametrize(
    "binary",
    [
        b"",
        ELEMENT,
        ELEMENT + b"\x01\x00",
        ELEMENT + b"\xff\xff\xff\xff" + JPEG,
        ELEMENT + ELEMENT[:-1],
        ELEMENT + ELEMENT + b"\x00",
        ELEMENT * 3,
    ],
)
def test_bytes_that_are_not_as_many_elements_are_refused(binary: bytes) -> None:
    head = tensor_head(shape=[2], size=len(binary))
    told = json.dumps({"inputs": [head]}).encode()
    with pytest.raises(RequestError, match="are not 2 elements"):
        parse(told + binary, str(len(told)), CLASSIFIER, most=8)


@pytest.mark.parametrize("size", [0, len(ELEMENT) - 1, len(ELEMENT) + 1, 1 << 62])
def test_a_size_other_than_the_bytes_that_came_is_refused(size: int) -> None:
    head = tensor_head(shape=[1], size=size)
    told = json.dumps({"inputs": [head]}).encode()
    with pytest.raises(RequestError, match=f"binary_data_size: {size}, but {len(ELEMENT)} bytes"):
        parse(told + ELEMENT, str(len(told)), CLASSIFIER, most=8)


@pytest.mark.parametrize("length", ["", "-1", "+1", "1e2", "\u0661", " 1", "9" * 11, "9" * 10])
def test_a_length_of_json_that_can_t_be_is_refused(length: str) -> None:
    with pytest.raises(RequestError, match="Inference-Header-Content-Length"):
        parse(b'{"inputs": []}', length, CLASSIFIER, most=8)


@pytest.mark.parametrize("hole", ['"extra": {}, "inputs": []', '"inputs": [{{"data": {}}}]'])
def test_json_that_is_too_deep_is_refused(hole: str) -> None:
    deep = "[" * 100_000 + "]" * 100_000
    with pytest.raises(RequestError, match="not an inference request"):
        parse(("{" + hole.format(deep) + "}").encode(), None, CLASSIFIER, most=8)


@settings(max_examples=50)
@given(st.data())
def test_a_changed_request_is_read_or_refused_and_nothing_else(data: st.DataObject) -> None:
    body, size = InferenceServerClient.generate_request_body([encoded(JPEG, PNG)])
    changed = bytearray(body)
    for at in data.draw(st.lists(st.integers(0, len(body) - 1), min_size=1, max_size=4)):
        changed[at] = data.draw(st.integers(0, 255))
    length = data.draw(st.sampled_from([str(size), None, str(size - 1), str(size + 1)]))
    with suppress(RequestError):
        assert len(parse(bytes(changed), length, CLASSIFIER, most=8).items) in range(1, 9)


@settings(max_examples=50)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("images"),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "inputs",
                        "outputs",
                        "name",
                        "shape",
                        "datatype",
                        "data",
                        "parameters",
                        "timeout",
                    ]
                ),
                inner,
            )
        ),
    )
)
def test_any_json_is_read_or_refused(value: Any) -> None:
    with suppress(RequestError):
        said(value)
