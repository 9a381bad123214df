"""What a .rknn file contains, read without the vendor's library, which crashes on some files."""

from __future__ import annotations

import json
import os
import stat
import struct
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, BinaryIO, Final

# A header of 64 bytes, the body, then a text: each length is 8 bytes, little-endian.
MAGIC: Final = b"RKNN\0\0\0\0"
HEADER: Final = 64
BODY_SIZE_AT: Final = 16
LENGTH: Final = struct.Struct("<Q")
MOST_TEXT: Final = 16 * 2**20  # the texts that were seen have one to a few kilobytes

Shape = tuple[int, ...]

ONNX_SUFFIX: Final = ".onnx"
RKNN_SUFFIX: Final = ".rknn"


@dataclass(frozen=True, slots=True, kw_only=True)
class RknnFile:
    """The SoCs that a model is for (lower case), the version of the toolkit that made it, bytes.

    `inputs` and `outputs` are the shapes of its tensors; empty where the file does not tell them.
    """

    targets: tuple[str, ...]
    toolkit: str | None
    size: int
    inputs: tuple[Shape, ...] = ()
    outputs: tuple[Shape, ...] = ()


def describe(path: Path) -> RknnFile | None:
    """Read a model's description; None for any file without a valid one.

    Encrypted and truncated models have none. Never raises; the body is never read.
    """
    try:
        # Without O_NONBLOCK, opening a pipe would wait for a writer.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            size = os.fstat(file.fileno()).st_size
            description = _description(file)
    except (OSError, ValueError, OverflowError, RecursionError, struct.error):
        return None
    if not isinstance(description, dict):
        return None
    targets, toolkit = description.get("target_platform"), description.get("version")
    if not isinstance(targets, list) or not all(isinstance(name, str) for name in targets):
        return None
    return RknnFile(
        targets=tuple(name.lower() for name in targets),
        toolkit=toolkit if isinstance(toolkit, str) else None,
        size=size,
        inputs=_shapes(description, "input"),
        outputs=_shapes(description, "output"),
    )


def _shapes(description: dict[str, Any], side: str) -> tuple[Shape, ...]:
    """Return the shapes of the tensors on one side of the graph, "input" or "output"."""
    try:
        sizes = {each["tensor_id"]: each["size"] for each in description["norm_tensor"]}
        ends = [each["right_tensor_id"] for each in description["graph"] if each["left"] == side]
        return tuple(tuple(int(length) for length in sizes[end]) for end in ends)
    except (KeyError, TypeError, ValueError, OverflowError):
        return ()


def _description(file: BinaryIO) -> Any:
    """Read the JSON text behind the body; raises any of the errors that `describe` catches."""
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        raise ValueError("not a file")
    header = file.read(HEADER)
    if not header.startswith(MAGIC):
        raise ValueError("no .rknn header")
    (body,) = LENGTH.unpack_from(header, BODY_SIZE_AT)
    file.seek(HEADER + body)
    (length,) = LENGTH.unpack(file.read(LENGTH.size))
    if length > MOST_TEXT:
        raise ValueError("the text is too long")
    return json.loads(file.read(length))


def rknn_name(model: PurePath, model_platform: str) -> str:
    """Return the name of `model` once it is converted for a SoC: glyphs-rk3588.rknn."""
    return f"{model.stem}-{model_platform}{RKNN_SUFFIX}"
