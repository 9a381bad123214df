"""An inference request's input, as the images that it has; pure."""

from __future__ import annotations

import math
from itertools import chain
from typing import Annotated, Any, Final

import msgspec

from farm.serving.oip_model import IMAGES, INPUTS, PIXELS
from farm.serving.service import RequestError
from farm.sources.base import Item

LENGTH: Final = 4  # bytes before each element of a binary BYTES tensor, little-endian
Size = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]
Byte = Annotated[int, msgspec.Meta(ge=0, le=255)]
# The types of a tensor's data in JSON: flat, or lists in each other. A text is base64.
JSON_DATA: Final[dict[str, dict[int, msgspec.json.Decoder[Any]]]] = {
    IMAGES: {
        1: msgspec.json.Decoder(list[bytes]),
        2: msgspec.json.Decoder(list[list[bytes]]),
    },
    PIXELS: {
        1: msgspec.json.Decoder(list[Byte]),
        4: msgspec.json.Decoder(list[list[list[list[Byte]]]]),
    },
}
SHAPES: Final = {IMAGES: "BYTES [n] or [n, 1]", PIXELS: "UINT8 [n, height, width, 3]"}


class InputParameters(msgspec.Struct, frozen=True):
    """How an input travels."""

    binary_data_size: Size | None = None
    shared_memory_region: str | None = None


class RequestInput(msgspec.Struct, frozen=True):
    """An input; its `data` stays JSON until its shape is known."""

    name: str
    shape: Annotated[list[Size], msgspec.Meta(max_length=4)]
    datatype: str
    parameters: InputParameters | None = None
    data: msgspec.Raw = msgspec.Raw()


def bad(message: str) -> RequestError:
    """Return the refusal of a request that is no valid one."""
    return RequestError(400, "invalid", message)


def only_input(inputs: list[RequestInput]) -> RequestInput:
    """Return the request's one input, if it is one of the model's."""
    if len(inputs) != 1:
        raise bad(f"{len(inputs)} inputs; send one: {IMAGES}, encoded, or {PIXELS}")
    (given,) = inputs
    if given.name not in INPUTS:
        raise bad(f"input {given.name[:100]!r}: unknown; the inputs are {' and '.join(INPUTS)}")
    if given.datatype != INPUTS[given.name][0] or not fits(given.name, given.shape):
        found = f"{given.datatype[:20]} {given.shape}"
        raise bad(f"input {given.name}: {found}; use {SHAPES[given.name]}")
    return given


def fits(name: str, shape: list[int]) -> bool:
    """Return whether an input of this shape has images."""
    if name == IMAGES:
        return len(shape) in (1, 2) and shape[1:] in ([], [1]) and shape[0] > 0
    return len(shape) == 4 and shape[3] == 3 and min(shape) > 0


def items_of(given: RequestInput, binary: memoryview | None, most: int) -> list[Item]:
    """Return the images of an input, whose bytes are `binary` if they are not in its JSON."""
    if given.shape[0] > most:
        raise RequestError(
            413, "too_many_images", f"{given.shape[0]} images in one request; at most {most}"
        )
    parameters = given.parameters or InputParameters()
    if parameters.shared_memory_region is not None:
        raise bad(f"input {given.name}: no shared memory here; send binary data")
    if given.data and (binary or parameters.binary_data_size is not None):
        raise bad(f"input {given.name}: has data and binary data; send one of them")
    if given.data:
        values = in_json(given)
        return values if given.name == IMAGES else pixels(bytes(values), given.shape)
    size = parameters.binary_data_size
    if binary is None:
        why = "no data" if size is None else "binary data need Inference-Header-Content-Length"
        raise bad(f"input {given.name}: {why}")
    if size is not None and size != len(binary):
        raise bad(f"input {given.name}: binary_data_size: {size}, but {len(binary)} bytes came")
    if given.name == IMAGES:
        return elements(binary, given.shape[0])
    return pixels(binary, given.shape)


def in_json(given: RequestInput) -> list[Any]:
    """Return the values of an input's data, flat."""
    raw, shape = memoryview(given.data).tobytes(), given.shape
    # Counted first: so many lists and values as announced are made of it, and no more.
    nested = 1 + sum(math.prod(shape[:depth]) for depth in range(1, len(shape)))
    depth = 1 if raw.count(b"[") == 1 else len(shape)
    if raw.count(b"[") not in (1, nested) or raw.count(b",") != math.prod(shape) - 1:
        raise bad(f"input {given.name}: its data have not the shape {shape}")
    try:
        values: list[Any] = JSON_DATA[given.name][depth].decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        why = "; in JSON, encoded images are base64" if given.name == IMAGES else ""
        raise bad(f"input {given.name}: data: {error}{why}") from error
    for size in shape[1:depth]:
        if any(len(each) != size for each in values):
            raise bad(f"input {given.name}: its data have not the shape {shape}")
        values = list(chain.from_iterable(values))
    return values


def elements(binary: memoryview, count: int) -> list[Item]:
    """Return the elements of a BYTES tensor."""
    found: list[Item] = []
    at = 0
    while at < len(binary) and len(found) < count:
        end = at + LENGTH + int.from_bytes(binary[at : at + LENGTH], "little")
        if end > len(binary) or at + LENGTH > len(binary):
            break
        found.append(bytes(binary[at + LENGTH : end]))  # the one copy of its bytes
        at = end
    if at != len(binary) or len(found) != count:
        raise bad(
            f"input {IMAGES}: {len(binary)} bytes are not {count} elements, "
            f"each {LENGTH} bytes of length, little-endian, and as many as they say"
        )
    return found


def pixels(data: bytes | memoryview, shape: list[int]) -> list[Item]:
    """Return the images of an RGB tensor as the farm takes them, as BGR."""
    import numpy as np  # for pixels alone

    if len(data) != math.prod(shape):
        raise bad(f"input {PIXELS}: {len(data)} bytes are not of the shape {shape}")
    rgb = np.frombuffer(data, np.uint8).reshape(shape)
    bgr = np.empty_like(rgb)
    for to, channel in enumerate((2, 1, 0)):  # five times as fast as a view turned round
        bgr[..., to] = rgb[..., channel]
    return list(bgr)
