"""An answer of the Open Inference Protocol: JSON, and binary tensors after it; pure."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from farm.results.result import Result
from farm.serving.oip_model import VERSION, Model
from farm.serving.oip_outputs import BYTES, FP32, INT64, Tensor
from farm.serving.oip_request import Inference

FORMATS: Final = {INT64: "q", FP32: "f"}


def respond(model: Model, asked: Inference, results: Sequence[Result]) -> tuple[bytes, int | None]:
    """Return an answer's body, and how many of its bytes are JSON; None if all of them are."""
    outputs: list[dict[str, Any]] = []
    binary: list[bytes] = []
    for wanted in asked.wanted:
        tensor = wanted.output.tensor(results, ranked=wanted.ranked)
        told: dict[str, Any] = {
            "name": tensor.name,
            "datatype": tensor.datatype,
            "shape": tensor.shape,
        }
        if wanted.binary:
            binary.append(packed(tensor))
            told["parameters"] = {"binary_data_size": len(binary[-1])}
        else:
            told["data"] = listed(tensor)
        outputs.append(told)
    answer: dict[str, Any] = {"model_name": model.name, "model_version": VERSION}
    if asked.id is not None:
        answer["id"] = asked.id
    if any(each.simulated for each in results):
        answer["parameters"] = {"simulated": True}
    head = msgspec.json.encode({**answer, "outputs": outputs})
    return b"".join([head, *binary]), len(head) if binary else None


def packed(tensor: Tensor) -> bytes:
    """Return a tensor's values as bytes: little-endian, before each text its length."""
    if tensor.datatype == BYTES:
        texts = [utf8(text) for text in tensor.data]
        return b"".join(part for text in texts for part in (struct.pack("<I", len(text)), text))
    return struct.pack(f"<{len(tensor.data)}{FORMATS[tensor.datatype]}", *tensor.data)


def listed(tensor: Tensor) -> list[Any]:
    """Return a tensor's values as JSON has them, flat."""
    if tensor.datatype == BYTES:
        return [utf8(text).decode() for text in tensor.data]
    return tensor.data


def utf8(text: str) -> bytes:
    """Return a text's bytes; a label may have half a character, of which a ? is made."""
    return text.encode("utf-8", "replace")
