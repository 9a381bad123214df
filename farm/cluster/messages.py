"""What travels through a hub: jobs, answers, presence; checked and bounded on arrival."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from farm.cluster.soundness import flaw
from farm.errors import HubError
from farm.results.result import Result
from workers.errors import WireError
from workers.protocol.messages import Output

VERSION: Final = 1  # the next one for any change that another program would misread
MOST_ITEMS: Final = 4096  # in a message
LARGEST_ID: Final = 2**53
LONGEST_SIDE: Final = 1 << 20  # pixels: of no format does OpenCV read more
Id = Annotated[int, msgspec.Meta(ge=0, lt=LARGEST_ID)]
Side = Annotated[int, msgspec.Meta(gt=0, le=LONGEST_SIDE)]
Name = Annotated[bytes, msgspec.Meta(max_length=8192)]
Token = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{20}\Z")]


class Struct(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What travels, as the array [tag, field, ...]: take the next tag for a new class."""


class Data(Struct, frozen=True, tag=0):
    """An image as the bytes of its file."""

    data: bytes


class Shared(Struct, frozen=True, tag=1):
    """An image on a file system that sender and boards share, by its path below a prefix."""

    path: Name


class Stored(Struct, frozen=True, tag=2):
    """An image in pieces in the hub's store, by its name there: so many bytes, their SHA-256."""

    name: Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{20}\.[0-9a-f]{20}\Z")]
    size: Annotated[int, msgspec.Meta(gt=0, lt=LARGEST_ID)]
    digest: Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]


class Parcel(Struct, frozen=True, tag=3):
    """One image of a job: its id in the run, its path as the sender knows it, itself.

    `full_size` (width, height) is that of the upright image before it was reduced, None if it was
    not.
    """

    id: Id
    path: Name | None
    source: Data | Shared | Stored
    full_size: tuple[Side, Side] | None = None


class Job(Struct, frozen=True, tag=4):
    """Images of one run that go to one board together."""

    run: Token
    parcels: Annotated[tuple[Parcel, ...], msgspec.Meta(min_length=1, max_length=MOST_ITEMS)]


class Answered(Struct, frozen=True, tag=5):
    """What became of one image: its path as the sender knows it, its result.

    What a task of the user's returned is in `output`, not in the result.
    """

    path: Name | None
    result: Result
    output: Output | None


class Answers(Struct, frozen=True, tag=6):
    """What became of images of one job; a job is answered in one message, or in several."""

    run: Token
    answered: Annotated[tuple[Answered, ...], msgspec.Meta(min_length=1, max_length=MOST_ITEMS)]


class _Frame(msgspec.Struct, array_like=True):
    version: int
    message: Job | Answers


_DECODER: Final = msgspec.msgpack.Decoder(_Frame)
_ENCODER: Final = msgspec.msgpack.Encoder()


def encode(message: Job | Answers) -> bytes:
    """Return the bytes that `decode` turns back into an equal message."""
    return _ENCODER.encode(_Frame(VERSION, message))


def decode(data: bytes) -> Job | Answers:
    """Return the message in `data`; raise HubError for anything else."""
    try:
        frame = _DECODER.decode(data)
    except (msgspec.MsgspecError, WireError, ValueError, TypeError, RecursionError) as error:
        raise HubError(f"not a message of this version of npu-farm: {error}") from error
    if frame.version != VERSION:
        raise HubError(f"message of version {frame.version}; this is version {VERSION}")
    if isinstance(frame.message, Answers):
        for each in frame.message.answered:
            if (reason := flaw(each.result, has_output=each.output is not None)) is not None:
                raise HubError(f"not a result of a farm: {reason}")
    return frame.message
