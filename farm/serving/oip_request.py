"""An inference request of the Open Inference Protocol, read and checked; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from farm.serving.oip_images import RequestInput, Size, bad, items_of, only_input
from farm.serving.oip_model import Model
from farm.serving.oip_outputs import Output
from farm.serving.service import Image, RequestError
from workers.protocol.spec import K

# In JSON: nobody else is answered while it is read, for 30 ms.
MOST_VALUES: Final = (1 << 20) + 10_000
MOST_OBJECTS: Final = 1000
TOO_MUCH: Final = f"more than {1 << 20} values in JSON, or {MOST_OBJECTS} objects; use binary data"
US: Final = 1_000_000  # in a second


class RequestParameters(msgspec.Struct, frozen=True):
    """What is set for the whole request; `timeout` is in microseconds."""

    timeout: Size = 0
    binary_data_output: bool = False


class OutputParameters(msgspec.Struct, frozen=True):
    """How an output is wanted."""

    binary_data: bool | None = None
    classification: Size = 0
    shared_memory_region: str | None = None


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
    items: list[Image]
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
    # Counted first: of what is more, nothing is made.
    if body.count(b",", 0, end) > MOST_VALUES or body.count(b"{", 0, end) > MOST_OBJECTS:
        raise RequestError(413, "too_large", TOO_MUCH)
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
