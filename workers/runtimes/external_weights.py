"""The files in which an ONNX model keeps its weights, if they are not in its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from workers.errors import RuntimeFailure
from workers.runtimes import model_file

# In a TensorProto's external_data (onnx.proto) the entry "location": its key, then the tag of its
# value and that one's length, a varint of one byte or two.
LOCATION: Final = re.compile(rb"\n\x08location\x12(?:([\x00-\x7f])|([\x80-\xff])([\x00-\x7f]))")


def read(model: str) -> dict[str, bytes]:
    """Return what is in the files that a model names, by their names.

    Raises RuntimeFailure for one that can't be read, or is not in the model's folder.
    """
    found: dict[str, bytes] = {}
    for name in dict.fromkeys(names_in(model_file.read(model))):
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise RuntimeFailure(f"{model}: its weights {name} are not in the model's folder")
        found[name] = model_file.read(str(Path(model).parent / name))
    return found


def names_in(content: bytes) -> Iterator[str]:
    """Return the names of files in an ONNX model, one for each tensor whose weights are in one."""
    for match in LOCATION.finditer(content):
        one, low, high = (part[0] if part else 0 for part in match.groups())
        length = one + (low & 0x7F) + (high << 7)
        yield content[match.end() : match.end() + length].decode("utf-8", "surrogateescape")
