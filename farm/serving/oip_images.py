"""An inference request's input, as the images that it has; pure."""

from __future__ import annotations

import math
from typing import Annotated, Final

import msgspec

from farm.serving.oip_model import IMAGES, INPUTS, PIXELS
from farm.serving.service import Image, RequestError

LENGTH: Final = 4  # bytes before each element of a binary BYTES tensor, little-endian
Size = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]
Byte = Annotated[int, msgspec.Meta(ge=0, le=255)]
TEXTS: Final = msgspec.json.Decoder(list[bytes])  # which are base64 in JSON
TEXTS_IN_LISTS: Final = msgspec.json.Decoder(list[tuple[bytes]])
NUMBERS: Final = msgspec.json.Decoder(list[Byte])
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


def items_of(given: RequestInput, binary: memoryview | None, most: int) -> list[Image]:
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
        raw = bytes(memoryview(given.data))
        if given.name == IMAGES:
            return texts(raw, given.shape)
        return pixels(numbers(raw, given.shape), given.shape)
    size = parameters.binary_data_size
    if binary is None:
        why = "no data" if size is None else "binary data need Inference-Header-Content-Length"
        raise bad(f"input {given.name}: {why}")
    if size is not None and size != len(binary):
        raise bad(f"input {given.name}: binary_data_size: {size}, but {len(binary)} bytes came")
    if given.name == IMAGES:
        return elements(binary, given.shape[0])
    return pixels(binary, given.shape)


def texts(raw: bytes, shape: list[int]) -> list[Image]:
    """Return the images of texts in JSON: flat, or each in a list."""
    # Counted first: of a body full of lists, none is made.
    in_lists = len(shape) == 2 and raw.count(b"[") == 1 + shape[0]
    try:
        if in_lists:
            found: list[Image] = [text for (text,) in TEXTS_IN_LISTS.decode(raw)]
        else:
            found = [*TEXTS.decode(raw)]
    except msgspec.MsgspecError as error:
        raise bad(f"input {IMAGES}: data: {error}; in JSON, images are base64 texts") from error
    if len(found) != shape[0]:
        raise bad(f"input {IMAGES}: {len(found)} texts are not of the shape {shape}")
    return found


def numbers(raw: bytes, shape: list[int]) -> bytes:
    """Return the pixels of numbers in JSON: flat, or in lists in lists."""
    wrong = bad(f"input {PIXELS}: its data are not whole numbers in the shape {shape}")
    if (commas := raw.count(b",")) != math.prod(shape) - 1:
        raise wrong
    flat = nested = b"[" + b"," * commas + b"]"
    if raw.count(b"[") > 1:
        nested = b"[,,]"
        for size in reversed(shape[:-1]):
            nested = b"[" + b",".join([nested] * size) + b"]"
    if raw.translate(None, b"0123456789 \t\r\n") not in (flat, nested):
        raise wrong
    try:
        return bytes(NUMBERS.decode(b"[" + raw.translate(None, b"[]") + b"]"))
    except msgspec.MsgspecError as error:
        raise bad(f"input {PIXELS}: data: {error}") from error


def elements(binary: memoryview, count: int) -> list[Image]:
    """Return the elements of a BYTES tensor."""
    found: list[Image] = []
    at = 0
    while at < len(binary) and len(found) < count:
        end = at + LENGTH + int.from_bytes(binary[at : at + LENGTH], "little")
        found.append(bytes(binary[at + LENGTH : end]))  # the one copy of its bytes
        at = end
    if at != len(binary) or len(found) != count:
        raise bad(
            f"input {IMAGES}: {len(binary)} bytes are not {count} elements, "
            f"each {LENGTH} bytes of length, little-endian, and as many as they say"
        )
    return found


def pixels(data: bytes | memoryview, shape: list[int]) -> list[Image]:
    """Return the images of an RGB tensor as the farm takes them, as BGR."""
    import numpy as np  # for pixels alone

    if len(data) != math.prod(shape):
        raise bad(f"input {PIXELS}: {len(data)} bytes are not of the shape {shape}")
    rgb = np.frombuffer(data, np.uint8).reshape(shape)
    bgr = np.empty_like(rgb)
    for to, channel in enumerate((2, 1, 0)):  # five times as fast as a view turned round
        bgr[..., to] = rgb[..., channel]
    return list(bgr)
