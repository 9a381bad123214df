"""What the Open Inference Protocol has, as it is documented; pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from farm.serving.oip_model import INPUTS, VERSION
from farm.serving.openapi import JSON, Operation, Schema
from farm.serving.people_api import ERRORS, INTEGER, TEXT, several, thing

FACE: Final = "Open Inference Protocol"
TRUTH: Final = {"type": "boolean"}
ERROR: Final = thing(error=TEXT)
TENSORS: Final = several(thing(name=TEXT, datatype=TEXT, shape=several(INTEGER)))
READY: Final = thing(ready=TRUTH)
CONFIG: Final = thing(name=TEXT, input=several({}), output=several({}))
SIZES: Final = several({"type": "integer", "minimum": 0})
INPUT: Final = {
    "type": "object",
    "required": ["name", "datatype", "shape"],
    "properties": {
        "name": {"enum": [*INPUTS]},
        "datatype": {"enum": [datatype for datatype, _ in INPUTS.values()]},
        "shape": SIZES,
        "data": {"type": "array"},
    },
}
REQUEST: Final = {
    "type": "object",
    "required": ["inputs"],
    "properties": {
        "id": TEXT,
        "inputs": {**several(INPUT), "minItems": 1, "maxItems": 1},
        "outputs": several({"type": "object", "required": ["name"], "properties": {"name": TEXT}}),
    },
}
INFERENCE: Final = thing(model_name=TEXT, outputs=TENSORS)
METADATA: Final = thing(
    name=TEXT, versions=several(TEXT), platform=TEXT, inputs=TENSORS, outputs=TENSORS
)


def operations(name: str) -> Iterator[Operation]:
    """Yield the protocol's operations for the model `name`."""
    server = thing(name=TEXT, version=TEXT, extensions=several(TEXT))
    yield get("/v2", "What this server is", server)
    yield get("/v2/health/live", "Whether it answers", thing(live=TRUTH))
    yield get("/v2/health/ready", "Whether it takes images in", READY, 503)
    yield get("/v2/models", "The model's name", thing(models=several(TEXT)))
    of_model, of_version = {"name": name}, {"name": name, "version": VERSION}
    for end, values in (("{name}", of_model), ("{name}/versions/{version}", of_version)):
        path = f"/v2/models/{end}"
        for each in (
            get(path, "The model's inputs and outputs", METADATA, 404),
            get(f"{path}/ready", "Whether it takes images in", READY, 404, 503),
            get(f"{path}/config", "Inputs and outputs as Triton writes them", CONFIG, 404),
            infer(f"{path}/infer"),
        ):
            yield replace(each, values=values)


def infer(path: str) -> Operation:
    """Return the operation that runs the model."""
    return Operation(
        path=path,
        method="post",
        face=FACE,
        summary="Run the model on images or pixels",
        description="Tensors are JSON, or binary after it, as Triton has them: see docs/oip.md.",
        body={JSON: REQUEST},
        answer={JSON: INFERENCE, "application/octet-stream": {}},
        errors=(404, *ERRORS),
        error=ERROR,
    )


def get(path: str, summary: str, answer: Schema, *errors: int) -> Operation:
    """Return an operation that tells something; with a 503 it tells that it is not so."""
    return Operation(
        path=path,
        face=FACE,
        summary=summary,
        answer={JSON: answer},
        errors=errors,
        error={"anyOf": [ERROR, answer]} if 503 in errors else ERROR,
    )
