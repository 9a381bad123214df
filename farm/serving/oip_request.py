"""An inference request of the Open Inference Protocol, read and checked; pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Annotated, Any, Final

import msgspec

from farm.serving.oip_model import IMAGES, INPUTS, PIXELS, Model
from farm.serving.oip_outputs import Output
from farm.serving.service import RequestError
from farm.sources.base import Item
from workers.protocol.spec import K

LENGTH: Final = 4  # bytes before each element of a binary BYTES tensor, little-endian
US: Final = 1_000_000  # in a second
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


class RequestParameters(msgspec.Struct, frozen=True):
    """What is set for the whole request; `timeout` is in microseconds."""

    timeout: Size = 0
    binary_data_output: bool = False


class InputParameters(msgspec.Struct, frozen=True):
    """How an input travels."""

    binary_data_size: Size | None = None
    shared_memory_region: str | None = None


class OutputParameters(msgspec.Struct, frozen=True):
    """How an output is wanted."""

    binary_data: bool | None = None
    classification: Size = 0
    shared_memory_region: str | None = None


class RequestInput(msgspec.Struct, frozen=True):
    """An input; its `data` stays JSON until its shape is known."""

    name: str
    shape: Annotated[list[Size], msgspec.Meta(max_length=4)]
    datatype: str
    parameters: InputParameters | None = None
    data: msgspec.Raw = msgspec.Raw()


class RequestOutput(msgspec.Struct, frozen=True):
    """An output that is asked for."""

    name: str
    parameters: OutputParameters | None = None


class Request(msgspec.Struct, frozen=True):
    """The request's JSON; what the protocol has beside these changes nothing here."""

    inputs: list[RequestInput]
    outputs: list[RequestOutput] | None = None
    id: str | None = None
    parameters: RequestParameters | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """An output as it is to be answered: binary or as JSON; `ranked` classes as texts, if any."""

    output: Output
    binary: bool
    ranked: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Inference:
    """What a request asks for: the images, the outputs, within so many seconds."""

    id: str | None
    items: list[Item]
    wanted: tuple[Wanted, ...]
    timeout: float | None


JSON: Final = msgspec.json.Decoder(Request)


def parse(body: bytes, header_length: str | None, model: Model, *, most: int) -> Inference:
    """Read a request's body, of at most `most` images; raise RequestError.

    `header_length` is how many of its bytes are JSON, as a header says; None: all of them.
    """
    end = len(body)
    if header_length is not None:
        # No other form of a number: isdecimal takes digits of any script, int signs and spaces.
        if not (header_length.isascii() and header_length.isdecimal()) or len(header_length) > 10:
            raise bad(f"Inference-Header-Content-Length: {header_length[:40]!r}: no length")
        if (end := int(header_length)) > len(body):
            raise bad(f"Inference-Header-Content-Length: {end}, but the body has {len(body)} bytes")
    try:
        request = JSON.decode(memoryview(body)[:end])
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise bad(f"not an inference request: {error}") from error
    parameters = request.parameters or RequestParameters()
    given = only_input(request.inputs)
    binary = memoryview(body)[end:]
    return Inference(
        id=request.id,
        items=items_of(given, binary if header_length is not None else None, most),
        wanted=wanted(request.outputs, parameters, model),
        timeout=parameters.timeout / US or None,
    )


def bad(message: str) -> RequestError:
    """Return the refusal of a request that is no valid one."""
    return RequestError(400, "invalid", message)


def only_input(inputs: list[RequestInput]) -> RequestInput:
    """Return the request's one input, if it is one of the model's."""
    names = [each.name for each in inputs]
    if len(inputs) != 1:
        said = f"{len(inputs)} inputs" if len(inputs) > 2 else " and ".join(names) or "no input"
        raise bad(f"{said}; send one: {IMAGES}, encoded, or {PIXELS}")
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


def wanted(
    asked: list[RequestOutput] | None, parameters: RequestParameters, model: Model
) -> tuple[Wanted, ...]:
    """Return the outputs that a request asks for, all if it names none; raise RequestError."""
    known = {each.name: each for each in model.outputs}
    if not asked:
        return tuple(Wanted(each, parameters.binary_data_output) for each in known.values())
    if len({each.name for each in asked}) != len(asked):
        raise bad("outputs: name each once")
    return tuple(_wanted(each, parameters, known) for each in asked)


def _wanted(asked: RequestOutput, whole: RequestParameters, known: Mapping[str, Output]) -> Wanted:
    if (output := known.get(asked.name)) is None:
        raise bad(f"output {asked.name[:100]!r}: unknown; the outputs are {', '.join(known)}")
    parameters = asked.parameters or OutputParameters()
    if parameters.shared_memory_region is not None:
        raise bad(f"output {output.name}: no shared memory here; ask for binary data")
    if parameters.classification and output.ranks is None:
        raise bad(f"output {output.name}: classification is of the scores of a classifier")
    if parameters.classification > K:
        raise bad(f"classification: {parameters.classification}: this farm ranks {K} classes")
    binary = parameters.binary_data
    return Wanted(
        output, whole.binary_data_output if binary is None else binary, parameters.classification
    )
