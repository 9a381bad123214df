"""What people can ask for, as it is documented: images to the farm's task; pure."""

from __future__ import annotations

from typing import Any, Final

from farm.results.answer_format import format_of
from farm.serving.limits import LONGEST_TIMEOUT, SHORTEST_TIMEOUT
from farm.serving.openapi import JSON, Operation, Schema
from workers.protocol.spec import CLASSIFY, DETECT

NUMBER: Final = {"type": "number"}
INTEGER: Final = {"type": "integer"}
TEXT: Final = {"type": "string"}
MAYBE_TEXT: Final = {"type": ["string", "null"]}
FILE: Final = {"type": "string", "format": "binary"}
SECONDS: Final = {"type": "number", "minimum": SHORTEST_TIMEOUT, "maximum": LONGEST_TIMEOUT}
ERRORS: Final = (400, 413, 415, 422, 429, 500, 503, 504)


def thing(**properties: Schema) -> dict[str, Any]:
    """Return the schema of an object that has all of these."""
    return {"type": "object", "required": [*properties], "properties": properties}


def several(items: Schema) -> dict[str, Any]:
    """Return the schema of a list."""
    return {"type": "array", "items": items}


def maybe(schema: Schema) -> dict[str, Any]:
    """Return the schema of that, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


CLASS: Final[dict[str, Schema]] = {"class": INTEGER, "label": MAYBE_TEXT, "score": NUMBER}
ANSWERS: Final[dict[str, dict[str, Schema]]] = {
    CLASSIFY: {"top5": maybe(several(thing(**CLASS)))},
    DETECT: {
        "objects": maybe(several(thing(**CLASS, box=several(NUMBER)))),
        "size": maybe(several(INTEGER)),
    },
}
OWN_ANSWER: Final[dict[str, Schema]] = {"output": {}}


def result(task: str) -> dict[str, Any]:
    """Return the schema of an image's result, as a run writes it."""
    return thing(
        id=INTEGER,
        path=MAYBE_TEXT,
        **ANSWERS.get(task, OWN_ANSWER),
        error=maybe(thing(kind=TEXT, message=TEXT)),
        worker=INTEGER,
        attempts=INTEGER,
        ms=thing(**dict.fromkeys(format_of(task).phases, NUMBER)),
        simulated={"type": "boolean"},
    )


def operation(path: str, task: str) -> Operation:
    """Return the one operation of a farm with this task."""
    one = result(task)
    return Operation(
        path=path,
        method="post",
        face="Images",
        summary="Run the model on an image, or on several",
        description=(
            "The body is the image itself, or a form with one image or several. One image gets one "
            "result; if it has an error, the status says so. Several get a list in their order, "
            "whatever is wrong with one of them."
        ),
        parameters=[
            {"name": "timeout", "in": "query", "schema": SECONDS},
            {"name": "X-Timeout", "in": "header", "schema": SECONDS},
        ],
        body={
            "*/*": FILE,
            "multipart/form-data": {
                "type": "object",
                "required": ["image"],
                "properties": {
                    "image": {**several(FILE), "minItems": 1},
                    "timeout": SECONDS,
                },
                "additionalProperties": False,
            },
        },
        answer={JSON: {"anyOf": [one, several(one)]}},
        errors=ERRORS,
        example=(
            f"curl --data-binary @photo.jpg URL{path}\n"
            f"curl -F image=@photo.jpg -F image=@other.jpg URL{path}"
        ),
    )
