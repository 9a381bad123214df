"""The messages between coordinator and workers: msgpack, typed, versioned, checked on arrival.

A message is the array [VERSION, tag, field, ...]; a struct inside it is [tag, field, ...].
What arrives is checked against the annotations of the structs below.
"""

from __future__ import annotations

from reprlib import repr as short  # bounded, for values of any size and depth
from typing import Any, Final

import msgpack
import msgspec

from workers.errors import WireError
from workers.protocol.spec import InputSpec, WireStruct, WorkerSpec

VERSION: Final = 3  # the next one for any change of a message, see docs/decisions/0023
FILE_NAMES: Final = "surrogateescape"  # Python's own way to keep names that are not UTF-8
# More than the items of any batch and the CPUs of any machine. Without it, arrays nested in each
# other that all announce a million values would take gigabytes before one proves missing.
LONGEST_ARRAY: Final = 4096
# Bytes of what an own task returns: as JSON at most seven times as much, which a line of a results
# file and the memory of a coordinator with many of them have room for.
LARGEST_OUTPUT: Final = 1 << 17
DEEPEST_OUTPUT: Final = 100  # lists and dicts in each other: of 1000, no JSON is made or read
Box = tuple[float, float, float, float]  # left, top, right, bottom


class FileRef(WireStruct, frozen=True, tag=7):
    """An image by its path, as the bytes of the file system; a relative one is of `folder`."""

    path: bytes
    folder: bytes = b""


class Encoded(WireStruct, frozen=True, tag=8):
    """An image as the bytes of its file (JPEG, PNG, ...)."""

    data: bytes


class Pixels(WireStruct, frozen=True, tag=9):
    """An image as height x width x 3 uint8 pixels, rows first, channels as OpenCV has them: BGR."""

    data: bytes
    height: int
    width: int


class Refused(WireStruct, frozen=True, tag=16):
    """What can't be sent as an image: its worker answers with this error, as for any bad image.

    `path` is its name in UTF-8 with surrogates, None if it was no file.
    """

    kind: str
    message: str
    path: bytes | None


class Item(WireStruct, frozen=True, tag=6):
    """One image to classify; `id` is unique within its run."""

    id: int
    source: FileRef | Encoded | Pixels | Refused


class Batch(WireStruct, frozen=True, tag=0):
    """Images that go to one worker together and come back together."""

    id: int
    items: tuple[Item, ...]


class Stop(WireStruct, frozen=True, tag=1):
    """Finish what is in flight, then exit."""


class Ready(WireStruct, frozen=True, tag=2, kw_only=True):
    """A worker has opened its runtime and passed its self-test, of one inference.

    `generation` counts the starts in its slot. `model` stands for the content that its runtime
    has opened, see Runtime.model. `classes` and `reading` are what its task has found the outputs
    to be, see workers.tasks.task.Task.
    """

    worker: int
    generation: int
    model: str
    input: InputSpec
    classes: int
    reading: str
    self_test_ms: float


class ItemError(WireStruct, frozen=True, tag=11):
    """Why an item has no answer: `kind` is stable, for programs; `message` is for people."""

    kind: str
    message: str


class Ranked(WireStruct, frozen=True, tag=17):
    """What an image shows: `top5` as (class, probability), the best first."""

    top5: tuple[tuple[int, float], ...]


class Detected(WireStruct, frozen=True, tag=18):
    """The objects in an image, as (class, score, box), the best first.

    Boxes are in pixels of the upright image, whose width and height are `size`.
    """

    size: tuple[int, int]
    objects: tuple[tuple[int, float, Box], ...]


class Output(WireStruct, frozen=True, tag=19):
    """What a task of the user's has made of an image: plain data, packed as msgpack."""

    data: bytes

    def __post_init__(self) -> None:
        if len(self.data) > LARGEST_OUTPUT:
            raise WireError(f"{len(self.data)} bytes; {LARGEST_OUTPUT} are the most")
        if (depth := depth_of(self.value())) > DEEPEST_OUTPUT:
            raise WireError(
                f"lists and dicts {depth} deep in each other; {DEEPEST_OUTPUT} are the most"
            )

    def value(self) -> Any:
        """Return the data; raises WireError if it is none."""
        try:
            return msgpack.unpackb(
                self.data, max_ext_len=0, strict_map_key=False, unicode_errors=FILE_NAMES
            )
        except (ValueError, TypeError, msgpack.UnpackException) as error:
            raise WireError(f"not plain data: {error}") from error


def depth_of(value: Any) -> int:
    """Return how many lists and dicts are in each other, at most."""
    depth, level = 0, [value]
    while level := [each for each in level if isinstance(each, (list, dict))]:
        depth += 1
        level = [
            inner for each in level for inner in (each.values() if type(each) is dict else each)
        ]
    return depth


class Outcome(WireStruct, frozen=True, tag=10, kw_only=True):
    """The result of one item: its `answer`, or an `error`.

    `started` is when its decoding began (CLOCK_MONOTONIC, seconds; one clock for all processes);
    the rest are milliseconds: decoding, waiting for the runtime, inference, the task.
    """

    item: int
    answer: Ranked | Detected | Output | None
    error: ItemError | None
    started: float
    decode_ms: float
    wait_ms: float
    infer_ms: float
    task_ms: float

    def __post_init__(self) -> None:
        if (self.answer is None) == (self.error is None):
            raise WireError("an Outcome has either an answer or an error")


class Done(WireStruct, frozen=True, tag=3, kw_only=True):
    """A worker's answer to one batch."""

    worker: int
    generation: int
    batch: int
    outcomes: tuple[Outcome, ...]


class Failed(WireStruct, frozen=True, tag=4, kw_only=True):
    """A worker can't continue; `message` is the reason, for the user."""

    worker: int
    generation: int
    message: str


class WorkerInit(WireStruct, frozen=True, tag=5):
    """What a worker gets first, on its standard input."""

    spec: WorkerSpec
    generation: int


Message = Batch | Stop | Ready | Done | Failed | WorkerInit


class Frame(msgspec.Struct, array_like=True):
    """What `decode` converts to: msgspec prepares a class once, but a bare union each time."""

    message: Message


def encode(message: Message) -> bytes:
    """Return the bytes that `decode` turns back into an equal message."""
    fields = msgspec.to_builtins(message, builtin_types=(bytes,))
    packed: bytes = msgpack.packb([VERSION, *fields], unicode_errors=FILE_NAMES)
    return packed


def decode(data: bytes) -> Message:
    """Return the message in `data`; raise WireError for anything that `encode` does not write."""
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
    try:
        message = msgspec.convert([raw[1:]], Frame, builtin_types=(bytes,)).message
    except (msgspec.ValidationError, UnicodeEncodeError) as error:  # of a text in FILE_NAMES' way
        raise WireError(f"not a message: {error}") from error
    # msgspec lets pass an int for a float, and a missing field at the end that has a default. A
    # Batch has neither, and may have megabytes of pixels, which are not copied again.
    if type(message) is not Batch and encode(message) != data:
        raise WireError(f"not a {type(message).__name__} as version {VERSION} encodes it")
    return message
