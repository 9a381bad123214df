"""What a .rknn file says of itself, read without the vendor's library, which dies of some files."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class RknnFile:
    """A model's own words: the SoCs it is for (lower case), the toolkit's version that made it."""

    targets: tuple[str, ...]
    toolkit: str | None
    size: int


def describe(path: Path) -> RknnFile | None:
    """Read what the model says of itself; None for anything that is not understood.

    Encrypted models and cut ones are not understood. Never raises; the body is never read.
    """
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            return _described(file)
    except (OSError, ValueError, OverflowError, RecursionError, struct.error):
        return None


def _without_waiting(name: str, flags: int) -> int:
    return os.open(name, flags | os.O_NONBLOCK)  # a pipe would wait for a writer


def _described(file: BinaryIO) -> RknnFile | None:
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode):
        return None
    header = file.read(HEADER)
    if not header.startswith(MAGIC):
        return None
    (body,) = LENGTH.unpack_from(header, BODY_SIZE_AT)
    file.seek(HEADER + body)
    (length,) = LENGTH.unpack(file.read(LENGTH.size))
    if length > MOST_TEXT:
        return None
    return _understood(json.loads(file.read(length)), status.st_size)


def _understood(told: Any, size: int) -> RknnFile | None:
    if not isinstance(told, dict):
        return None
    targets, toolkit = told.get("target_platform"), told.get("version")
    if not isinstance(targets, list) or not all(isinstance(name, str) for name in targets):
        return None
    return RknnFile(
        targets=tuple(name.lower() for name in targets),
        toolkit=toolkit if isinstance(toolkit, str) else None,
        size=size,
    )


ONNX_SUFFIX: Final = ".onnx"
RKNN_SUFFIX: Final = ".rknn"


def rknn_name(model: PurePath, model_platform: str) -> str:
    """What `model` is called once it is converted for a SoC: glyphs-rk3588.rknn."""
    return f"{model.stem}-{model_platform}{RKNN_SUFFIX}"
