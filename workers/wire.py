"""The messages between coordinator and workers: msgpack, typed, versioned, checked on arrival.

A message is the array [VERSION, tag, field, ...]; a dataclass inside it is [tag, field, ...].
The dataclasses below are the schema: what arrives is checked against their annotations.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cache
from reprlib import repr as short  # of rubbish of any size and depth
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

import msgpack

from workers.errors import WireError
from workers.spec import InputHint, InputSpec, SimulatedSpec, WorkerSpec

VERSION: Final = 1
FILE_NAMES: Final = "surrogateescape"  # Python's own way to keep names that are not UTF-8


@dataclass(frozen=True, slots=True)
class FileRef:
    """An image by its path, in the bytes the file system knows it by."""

    path: bytes


@dataclass(frozen=True, slots=True)
class Encoded:
    """An image as the bytes of its file (JPEG, PNG, ...)."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Pixels:
    """An image as height x width x 3 uint8 pixels, rows first, channels as OpenCV has them: BGR."""

    data: bytes
    height: int
    width: int


@dataclass(frozen=True, slots=True)
class Item:
    """One image to classify; `id` is unique within a farm."""

    id: int
    source: FileRef | Encoded | Pixels


@dataclass(frozen=True, slots=True)
class Batch:
    """Images that go to one worker together and come back together."""

    id: int
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Stop:
    """Finish what you hold, then leave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A worker has opened its runtime and passed its self-test, of one inference.

    `generation` counts the starts in its seat.
    """

    worker: int
    generation: int
    input: InputSpec
    classes: int
    self_test_ms: float


@dataclass(frozen=True, slots=True)
class ItemError:
    """Why an item has no top-5: a stable word for programs, and a sentence for people."""

    kind: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one item: `top5` as (class, probability) from the best down, or `error`.

    `started` is when its decoding began (CLOCK_MONOTONIC, seconds; one clock for all processes);
    the rest are milliseconds: decoding, waiting for the runtime, inference.
    """

    item: int
    top5: tuple[tuple[int, float], ...] | None
    error: ItemError | None
    started: float
    decode_ms: float
    wait_ms: float
    infer_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A worker's answer to one batch."""

    worker: int
    generation: int
    batch: int
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A worker can't go on, for a reason in the user's words."""

    worker: int
    generation: int
    message: str


@dataclass(frozen=True, slots=True)
class Birth:
    """The first thing a worker hears, on its standard input."""

    spec: WorkerSpec
    generation: int


Message = Batch | Stop | Ready | Done | Failed | Birth

# A tag is part of the format: append, never renumber.
_TAGGED: Final[tuple[type[Any], ...]] = (
    Batch, Stop, Ready, Done, Failed, Birth, Item, FileRef, Encoded, Pixels, Outcome, ItemError,
    WorkerSpec, InputHint, InputSpec, SimulatedSpec,
)  # fmt: skip
_TAG_OF: Final[dict[type[Any], int]] = {kind: tag for tag, kind in enumerate(_TAGGED)}
_FIELDS_OF: Final[dict[type[Any], tuple[str, ...]]] = {
    kind: tuple(f.name for f in fields(kind)) for kind in _TAGGED
}

Decoder = Callable[[Any], Any]


def encode(message: Message) -> bytes:
    """Give the bytes that `decode` turns back into an equal message."""
    packed: bytes = msgpack.packb([VERSION, *_plain(message)], unicode_errors=FILE_NAMES)
    return packed


def decode(data: bytes) -> Message:
    """Give the message in `data`; raises WireError for anything that is not exactly one."""
    try:
        raw = msgpack.unpackb(data, unicode_errors=FILE_NAMES)
    except (ValueError, msgpack.UnpackException) as error:
        raise WireError(f"not a message: {error}") from error
    if type(raw) is not list or not raw:
        raise WireError("not a message: no array")
    if raw[0] != VERSION or type(raw[0]) is not int:
        raise WireError(f"message of version {short(raw[0])}; this is version {VERSION}")
    message: Message = _decoder(Message)(raw[1:])
    return message


def _plain(value: Any) -> Any:
    tag = _TAG_OF.get(type(value))
    if tag is not None:
        return [tag, *(_plain(getattr(value, name)) for name in _FIELDS_OF[type(value)])]
    if type(value) is tuple:
        return [_plain(part) for part in value]
    return value


@cache
def _decoder(kind: Any) -> Decoder:
    """Build, once per annotation, the function that checks and converts a raw value to it."""
    if kind in _TAG_OF:
        return _one_of((kind,))
    origin, args = get_origin(kind), get_args(kind)
    if origin is tuple and args[-1] is Ellipsis:
        return _sequence(_decoder(args[0]))
    if origin is tuple:
        return _fixed(tuple(_decoder(arg) for arg in args))
    if origin in (Union, types.UnionType):
        return _union(args)
    return _scalar(kind)


def _scalar(kind: type) -> Decoder:
    def check(raw: Any) -> Any:
        if type(raw) is not kind:  # not isinstance: True is no int here
            raise WireError(f"expected {kind.__name__}, got {short(raw)}")
        return raw

    return check


def _sequence(part: Decoder) -> Decoder:
    def check(raw: Any) -> Any:
        if type(raw) is not list:
            raise WireError(f"expected an array, got {short(raw)}")
        return tuple([part(value) for value in raw])

    return check


def _fixed(parts: tuple[Decoder, ...]) -> Decoder:
    def check(raw: Any) -> Any:
        if type(raw) is not list or len(raw) != len(parts):
            raise WireError(f"expected an array of {len(parts)}, got {short(raw)}")
        return tuple([part(value) for part, value in zip(parts, raw, strict=True)])

    return check


def _union(args: tuple[Any, ...]) -> Decoder:
    if types.NoneType not in args:
        return _one_of(args)
    present = tuple(arg for arg in args if arg is not types.NoneType)
    inner = _decoder(present[0]) if len(present) == 1 else _one_of(present)
    return lambda raw: None if raw is None else inner(raw)


def _one_of(kinds: tuple[type, ...]) -> Decoder:
    allowed = {_TAG_OF[kind]: kind for kind in kinds}

    def check(raw: Any) -> Any:
        tag = raw[0] if type(raw) is list and raw else None
        if type(tag) is not int or tag not in allowed:
            raise WireError(f"expected one of {[k.__name__ for k in kinds]}, got {short(raw)}")
        kind = allowed[tag]
        parts = _field_decoders(kind)
        if len(raw) != len(parts) + 1:
            raise WireError(f"{kind.__name__} has {len(parts)} fields, got {len(raw) - 1}")
        names = _FIELDS_OF[kind]
        return kind(**{n: part(v) for n, part, v in zip(names, parts, raw[1:], strict=True)})

    return check


@cache
def _field_decoders(kind: type) -> tuple[Decoder, ...]:
    hints = get_type_hints(kind)
    return tuple(_decoder(hints[name]) for name in _FIELDS_OF[kind])
