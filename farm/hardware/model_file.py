"""Files that are named as a model and are something else, recognised by their first bytes."""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final

from farm.hardware.rknn_file import BODY_SIZE_AT, HEADER, LENGTH, MAGIC
from workers.runtimes.base import ONNX, RKNN
from workers.shell import shell_command

HEAD: Final = 512  # bytes: enough for every pattern below
RKNN_HEADER: Final = struct.pack("<8sQ", MAGIC, 6)  # of the versions that were seen
IR_VERSION: Final = b"\x08"  # the tag of a ModelProto's first field (onnx.proto), a varint
GRAPH: Final = 7  # the field without which it is no model
MOST_FIELDS: Final = 10_000  # opsets, metadata and functions are many; more would take long
VARINT, BYTES = 0, 2  # protobuf's wire types
FIXED: Final = {1: 8, 5: 4}  # and those of a fixed number of bytes
FETCH: Final = "npu-farm doctor CONFIG -m MODEL   # after downloading the model again"
EXPORT: Final = "npu-farm doctor CONFIG -m MODEL.onnx   # exported as ONNX"
CONVERT: Final = "npu-farm convert MODEL.onnx --platform SOC --calibrate IMAGES   # on a PC"
TF2ONNX: Final = "python -m tf2onnx.convert {} MODEL --output MODEL.onnx   # pip install tf2onnx"


@dataclass(frozen=True, slots=True)
class NoModel:
    """What a file is instead of a model ("a web page, not a model"), and a command that helps."""

    what: str
    fix: str

    def __str__(self) -> str:
        return f"{self.what}; try:\n  {shell_command(self.fix)}"


KINDS: Final = (  # a pattern of the first bytes, what has it, what helps
    (rb"version https://git-lfs", "a Git LFS pointer, not the model itself", "git lfs pull"),
    (rb"\.{0,2}/.*annex/objects/", "a git-annex pointer, not the model itself", "git annex get"),
    (
        rb"(?is)(\xef\xbb\xbf)?\s*(<!--.*?-->\s*)?<(!doctype html|html|head|body|script)\b",
        "a web page, not a model: a failed download?",
        FETCH,
    ),
    (rb"(404|403|401): ", "an error message of a server, not a model: a failed download?", FETCH),
    (rb"(?s)\s*<\?xml.*<net\b|\s*<net\b", "an OpenVINO model; ONNX is needed", EXPORT),
    (rb"PK\x03\x04", "a zip archive, as of PyTorch or Keras; ONNX is needed", EXPORT),
    (rb"\x80[\x02-\x05]", "a Python pickle, as of PyTorch; ONNX is needed", EXPORT),
    (rb"(?s).\0{3}TFL3", "a TensorFlow Lite model; ONNX is needed", TF2ONNX.format("--tflite")),
    (rb"\x89HDF\r\n", "an HDF5 file, as of Keras; ONNX is needed", TF2ONNX.format("--keras")),
    (rb"GGUF", "a GGUF file of a language model; one for images is needed", EXPORT),
    (rb"7767517\s", "an ncnn model; ONNX is needed", EXPORT),
    (rb"(?s).{4}\0{4}\{\"", "a safetensors file: weights without a model; ONNX is needed", EXPORT),
    (rb"\x1f\x8b", "compressed with gzip", "tar -xzf MODEL || gunzip MODEL"),
    (rb"\xfd7zXZ", "compressed with xz", "tar -xJf MODEL || unxz MODEL"),
    (rb"\x28\xb5\x2f\xfd", "compressed with Zstandard", "unzstd MODEL"),
    (rb"Rar!|7z\xbc\xaf", "an archive, not a model", "7z x MODEL"),
    (rb"(?s)\xff\xd8\xff|\x89PNG|RIFF.{4}WEBP", "an image, not a model", FETCH),
    (rb"%PDF", "a PDF, not a model", FETCH),
    (rb"\x7fELF", "a program or library, not a model", FETCH),
)
_COMPILED: Final = tuple((re.compile(pattern), what, fix) for pattern, what, fix in KINDS)


def no_model(path: Path, runtime: str) -> NoModel | None:
    """Return what a readable file is if it is certainly no model that `runtime` opens, else None.

    Models of unknown form are None: the runtime judges them. The bodies of big files are not read.
    """
    # Opening a pipe would wait for a writer.
    if runtime not in (ONNX, RKNN) or not path.is_file():
        return None
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            head = file.read(HEAD)
            if not head.strip(b"\0"):
                what = "empty" if size == 0 else "nothing but zeros"
                return NoModel(what, FETCH) if size <= HEAD or _zeros(file) else None
            for pattern, what, fix in _COMPILED:
                if pattern.match(head):
                    return NoModel(what, fix)
            if head.startswith((MAGIC, b"CRYPTRKN")):
                return _rknn(head, size, runtime)
            return _onnx(file, size, runtime) if head.startswith(IR_VERSION) else None
    except OSError:
        return None


def _zeros(file: BinaryIO) -> bool:
    """Return whether the next bytes are zeros, too: of a download that broke off, or a bad disk."""
    return not file.read(HEAD * 128).strip(b"\0")


def _rknn(head: bytes, size: int, runtime: str) -> NoModel | None:
    if runtime != RKNN:
        return NoModel("a .rknn model by its content, which needs an NPU; ONNX is needed", EXPORT)
    if len(head) < HEADER:
        return NoModel(f"truncated: {size} bytes are no whole header", FETCH)
    if head.startswith(RKNN_HEADER):
        needed = HEADER + LENGTH.unpack_from(head, BODY_SIZE_AT)[0] + LENGTH.size
        if needed > size:
            return NoModel(f"truncated: {needed} bytes or more are needed, it has {size}", FETCH)
    return None


def _onnx(file: BinaryIO, size: int, runtime: str) -> NoModel | None:
    """Judge a file that begins like an ONNX model by its outermost fields."""
    for field, end in islice(_fields(file, size), MOST_FIELDS):
        if end > size:
            return NoModel(f"truncated: {end} bytes or more are needed, it has {size}", FETCH)
        if field == GRAPH and runtime == RKNN:
            return NoModel("an ONNX model by its content; a .rknn is needed", CONVERT)
    return None


def _fields(file: BinaryIO, size: int) -> Iterator[tuple[int, int]]:
    """Yield each outermost field's number and end, as far as the bytes are protobuf's.

    The last end is behind `size` if the file is truncated.
    """
    file.seek(0)
    while file.tell() < size:
        tag = _varint(file)
        kind = tag & 7
        if kind not in (VARINT, BYTES, *FIXED):
            return
        value = _varint(file) if kind in (VARINT, BYTES) else 0
        end = file.tell() + (value if kind == BYTES else FIXED.get(kind, 0))
        yield tag >> 3, end
        if end > size:
            return
        file.seek(end)


def _varint(file: BinaryIO) -> int:
    """Read a number of protobuf's: 7 bits a byte, the lowest first, at most 10 bytes."""
    value = 0
    for shift in range(0, 70, 7):
        byte = file.read(1) or b"\0"
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            break
    return value
