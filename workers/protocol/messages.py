"""The messages between coordinator and workers: msgpack, typed, versioned, checked on arrival.

A message is the array [VERSION, tag, field, ...]; a dataclass inside it is [tag, field, ...].
What arrives is checked against the annotations of the dataclasses below.
"""

from __future__ import annotations

from dataclasses import dataclass
from reprlib import repr as short  # of rubbish of any size and depth
from typing import Any, Final

import msgpack

from workers.errors import WireError
from workers.protocol.codec import Schema
from workers.protocol.spec import InputHint, InputSpec, SimulatedSpec, WorkerSpec

VERSION: Final = 1
FILE_NAMES: Final = "surrogateescape"  # Python's own way to keep names that are not UTF-8
# More than the items of any batch and the CPUs of any machine. Without it, arrays nested in each
# other that all announce a million values would take gigabytes before the first is missed.
LONGEST_ARRAY: Final = 4096


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

    `generation` counts the starts in its slot.
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

    def __post_init__(self) -> None:
        if (self.top5 is None) == (self.error is None):
            raise WireError("an Outcome has either a top5 or an error")


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
class WorkerInit:
    """The first thing a worker hears, on its standard input."""

    spec: WorkerSpec
    generation: int


Message = Batch | Stop | Ready | Done | Failed | WorkerInit

# A tag is part of the format: append, never renumber.
_TAGGED: Final[tuple[type[Any], ...]] = (
    Batch, Stop, Ready, Done, Failed, WorkerInit, Item, FileRef, Encoded, Pixels, Outcome,
    ItemError, WorkerSpec, InputHint, InputSpec, SimulatedSpec,
)  # fmt: skip
_SCHEMA: Final = Schema(_TAGGED)


def encode(message: Message) -> bytes:
    """Give the bytes that `decode` turns back into an equal message."""
    packed: bytes = msgpack.packb(
        [VERSION, *_SCHEMA.plain(message)], default=_SCHEMA.plain, unicode_errors=FILE_NAMES
    )
    return packed


def decode(data: bytes) -> Message:
    """Give the message in `data`; raises WireError for anything that is not exactly one."""
    try:
        raw = msgpack.unpackb(
            data,
            unicode_errors=FILE_NAMES,
            max_array_len=LONGEST_ARRAY,
            max_map_len=0,  # no message has one
            max_ext_len=0,
        )
    except (ValueError, msgpack.UnpackException) as error:
        raise WireError(f"not a message: {error}") from error
    if type(raw) is not list or not raw:
        raise WireError("not a message: no array")
    if raw[0] != VERSION or type(raw[0]) is not int:
        raise WireError(f"message of version {short(raw[0])}; this is version {VERSION}")
    message: Message = _SCHEMA.decoder(Message)(raw[1:])
    return message
