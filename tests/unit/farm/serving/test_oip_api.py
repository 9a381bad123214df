"""The documented schemas are those of the protocol's answers."""

from __future__ import annotations

import json

import fastjsonschema
import pytest

from farm.serving.oip_api import CONFIG, INFERENCE, METADATA, REQUEST, operations
from farm.serving.oip_model import Model
from farm.serving.oip_request import parse
from farm.serving.oip_response import respond
from tests.helpers.results import HEN, classified

MODEL = Model("m", "classify", "onnx")
ASKED = {"inputs": [{"name": "images", "datatype": "BYTES", "shape": [1], "data": ["/9g="]}]}


def test_what_the_model_tells_has_its_schema() -> None:
    for schema, told in ((METADATA, MODEL.metadata()), (CONFIG, MODEL.config())):
        fastjsonschema.compile(schema)(json.loads(json.dumps(told)))


def test_a_request_and_its_answer_have_their_schemas() -> None:
    fastjsonschema.compile(REQUEST)(ASKED)
    asked = parse(json.dumps(ASKED).encode(), None, MODEL, most=1)
    content, _ = respond(MODEL, asked, [classified(HEN)])
    fastjsonschema.compile(INFERENCE)(json.loads(content))


@pytest.mark.parametrize("inputs", [[], [{"name": "x"}], ASKED["inputs"] * 2])
def test_what_is_refused_has_not(inputs: object) -> None:
    with pytest.raises(fastjsonschema.JsonSchemaException):
        fastjsonschema.compile(REQUEST)({"inputs": inputs})


def test_paths_have_the_values_of_the_model() -> None:
    values = {each.path: each.values for each in operations("net")}
    assert values["/v2/models/{name}/infer"] == {"name": "net"}
    assert values["/v2/models/{name}/versions/{version}"] == {"name": "net", "version": "1"}
