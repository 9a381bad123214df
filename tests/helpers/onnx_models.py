"""Small ONNX models, written by hand: the tests need no package that can write them.

A model takes one image and computes, for each class, a weighted sum of the means of its three
channels, then what `end` says. Field numbers are those of onnx.proto.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

FLOAT, UINT8, INT8, INT64, STRING, FLOAT16 = 1, 2, 3, 7, 8, 10  # TensorProto.DataType
INT_ATTRIBUTE: Final = 2
EXTERNAL: Final = 1  # TensorProto.DataLocation
OPSET: Final = 13
IR_VERSION: Final = 8
RGB: Final = (1, 3, 8, 8)

Dims = Sequence[int | str]


def varint(number: int) -> bytes:
    out = bytearray()
    number &= 2**64 - 1
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes((*out, number))


def field(number: int, value: int | str | bytes) -> bytes:
    """One field of a protobuf message: a number, or a text or message with its length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def node(op: str, inputs: Sequence[str], output: str, **attributes: int) -> bytes:
    named = b"".join(
        field(5, field(1, name) + field(3, value) + field(20, INT_ATTRIBUTE))
        for name, value in attributes.items()
    )
    return b"".join(field(1, name) for name in inputs) + field(2, output) + field(4, op) + named


def constant(
    name: str, kind: int, dims: Sequence[int], values: Sequence[Any], file: Path | None = None
) -> bytes:
    """A TensorProto; its values are in `file`, if that is given."""
    data = struct.pack(f"<{len(values)}{'f' if kind == FLOAT else 'q'}", *values)
    where = field(9, data)
    if file is not None:
        file.write_bytes(data)
        where = field(13, field(1, "location") + field(2, file.name)) + field(14, EXTERNAL)
    return b"".join(field(1, dim) for dim in dims) + field(2, kind) + field(8, name) + where


def tensor(name: str, dims: Dims, kind: int = FLOAT) -> bytes:
    """A ValueInfoProto; a dimension that is a text is one that the model leaves open."""
    shape = b"".join(field(1, field(1 if isinstance(dim, int) else 2, dim)) for dim in dims)
    return field(1, name) + field(2, field(1, field(1, kind) + field(2, shape)))


def write_model(  # noqa: PLR0913 - what can be odd about a model
    path: Path,
    weights: Sequence[Sequence[float]],
    *ends: str,
    image: Dims = RGB,
    shape: Sequence[int] | None = None,
    kind: int = FLOAT,
    outside: Path | None = None,
) -> Path:
    """Write a model whose scores are sums of the image's channel means, times `weights`.

    Each class has a weight for each channel, and a number to add. The operators `ends` follow,
    then the scores take the `shape` (default 1 x n) and the type `kind`. The numbers to
    add are in the file `outside`, if that is given.
    """
    count, channels = len(weights), len(weights[0]) - 1
    shape = (1, count) if shape is None else shape
    factors = [factor for row in weights for factor in row[:-1]]
    steps = [
        node("GlobalAveragePool", ["image"], "means"),
        node("Conv", ["means", "weights", "bias"], "scores0"),
        *(
            node(op, [f"scores{at}"], f"scores{at + 1}", **({"axis": 1} if op == "Softmax" else {}))
            for at, op in enumerate(ends)
        ),
        node("Reshape", [f"scores{len(ends)}", "shape"], "shaped"),
        node("Cast", ["shaped"], "scores", to=kind),
    ]
    constants = [
        constant("weights", FLOAT, (count, channels, 1, 1), factors),
        constant("bias", FLOAT, (count,), [row[-1] for row in weights], outside),
        constant("shape", INT64, (len(shape),), shape),
    ]
    graph = (
        b"".join(field(1, step) for step in steps)
        + field(2, "test")
        + b"".join(field(5, each) for each in constants)
        + field(11, tensor("image", image))
        + field(12, tensor("scores", shape, kind))
    )
    path.write_bytes(field(1, IR_VERSION) + field(7, graph) + field(8, field(2, OPSET)))
    return path


def write_plain(path: Path, count: int, *ends: str, **options: Any) -> Path:
    """Write a model of `count` classes, each with other weights."""
    channels = options.get("image", RGB)[1]
    factors = [[(n * 7 + c * 5) % 11 / 100 - 0.05 for c in range(channels)] for n in range(count)]
    rows = [[*row, 0.1 * (n % 3)] for n, row in enumerate(factors)]
    return write_model(path, rows, *ends, **options)


def write_two_outputs(path: Path) -> Path:
    """Write a model that returns an image's channel means twice."""
    steps = [node("GlobalAveragePool", ["image"], name) for name in "ab"]
    graph = (
        b"".join(field(1, step) for step in steps)
        + field(2, "test")
        + field(11, tensor("image", RGB))
        + b"".join(field(12, tensor(name, (1, 3, 1, 1))) for name in "ab")
    )
    path.write_bytes(field(1, IR_VERSION) + field(7, graph) + field(8, field(2, OPSET)))
    return path
