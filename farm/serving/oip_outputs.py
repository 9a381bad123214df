"""What answers are as tensors of the Open Inference Protocol; pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from farm.results.output_format import as_plain_json
from farm.results.result import DetectedObject, Prediction, Result
from workers.protocol.spec import CLASSIFY, DETECT, K

BYTES: Final = "BYTES"
FP32: Final = "FP32"
INT64: Final = "INT64"
NO_CLASS: Final = -1
Row = list[Any]


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor's values, flat, rows first; those of BYTES are texts."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    data: Row


@dataclass(frozen=True, slots=True)
class Output:
    """An output of a model: its shape, -1 where that varies, and an image's row of it.

    `row` gets the image's result and how many objects a row has room for. `ranks` is of an output
    of scores: what of them the classification extension gives, a text for each class.
    """

    name: str
    datatype: str
    shape: tuple[int, ...]
    row: Callable[[Result, int], Row]
    ranks: Callable[[Result], Row] | None = None

    def tensor(self, results: Sequence[Result], *, ranked: int = 0) -> Tensor:
        """Return the results' values; of an output with `ranks`, so many classes as texts."""
        if ranked and self.ranks is not None:
            texts = [padded(self.ranks(each)[:ranked], ranked, "") for each in results]
            return Tensor(self.name, BYTES, (len(texts), ranked), list(chain(*texts)))
        room = max((len(each.objects or ()) for each in results), default=0)
        sizes = (room if size < 0 else size for size in self.shape[1:])
        rows = [self.row(each, room) for each in results]
        return Tensor(self.name, self.datatype, (len(rows), *sizes), list(chain(*rows)))


def padded(values: Sequence[Any], size: int, padding: Any) -> Row:
    """Return values, and padding up to `size`."""
    return [*values, *[padding] * (size - len(values))]


def ranks(result: Result) -> Row:
    """Return an image's classes as Triton writes them: score:class:label."""
    return [
        f"{each.score:f}:{each.class_id}" + (f":{each.label}" if each.label is not None else "")
        for each in result.top5 or ()
    ]


def of_classes(pick: Callable[[Prediction], Any], padding: Any) -> Callable[[Result, int], Row]:
    """Return what makes a row of a value of each class."""
    return lambda result, _room: padded([pick(each) for each in result.top5 or ()], K, padding)


def of_objects(pick: Callable[[DetectedObject], Any], padding: Any) -> Callable[[Result, int], Row]:
    """Return what makes a row of a value of each object."""
    return lambda result, room: padded([pick(each) for each in result.objects or ()], room, padding)


def boxes(result: Result, room: int) -> Row:
    """Return the edges of all boxes: left, top, right, bottom."""
    return padded([edge for each in result.objects or () for edge in each.box], 4 * room, 0.0)


def own(result: Result) -> str:
    """Return what a task of the user's has made of an image, as JSON; "" if there is an error."""
    return "" if result.error is not None else json.dumps(as_plain_json(result.output))


def error(result: Result) -> str:
    """Return why an image has no answer; "" if it has one."""
    return "" if result.error is None else f"{result.error.kind}: {result.error.message}"


ERRORS: Final = Output("errors", BYTES, (-1,), lambda result, _room: [error(result)])
CLASSIFIED: Final = (
    Output("classes", INT64, (-1, K), of_classes(lambda each: each.class_id, NO_CLASS)),
    Output("scores", FP32, (-1, K), of_classes(lambda each: each.score, 0.0), ranks),
    Output("labels", BYTES, (-1, K), of_classes(lambda each: each.label or "", "")),
    ERRORS,
)
DETECTED: Final = (
    Output("boxes", FP32, (-1, -1, 4), boxes),
    Output("classes", INT64, (-1, -1), of_objects(lambda each: each.class_id, NO_CLASS)),
    Output("scores", FP32, (-1, -1), of_objects(lambda each: each.score, 0.0)),
    Output("labels", BYTES, (-1, -1), of_objects(lambda each: each.label or "", "")),
    Output("counts", INT64, (-1,), lambda result, _room: [len(result.objects or ())]),
    Output("sizes", INT64, (-1, 2), lambda result, _room: [*(result.size or (0, 0))]),
    ERRORS,
)
OWN: Final = (Output("output", BYTES, (-1,), lambda result, _room: [own(result)]), ERRORS)


def outputs_of(task: str) -> tuple[Output, ...]:
    """Return the outputs of a model with this task."""
    return {CLASSIFY: CLASSIFIED, DETECT: DETECTED}.get(task, OWN)
