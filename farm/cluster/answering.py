"""The answer to a job: its results as they travel, in messages that are not too large."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import msgpack

from farm.cluster.messages import Answered, Answers, Job, Parcel, encode
from farm.results.result import Result, Timings
from workers.protocol.messages import FILE_NAMES, ItemError, Output

HEADROOM: Final = 4096  # bytes of a message that are the protocol's
NO_TIME: Final = Timings(queue=0.0, decode=0.0, wait=0.0, infer=0.0, total=0.0)


def answered(parcel: Parcel, result: Result, board: str, earlier: int) -> Answered:
    """Return what became of a parcel that had been with `earlier` boards before."""
    output = None
    if result.output is not None:
        output = Output(msgpack.packb(result.output, unicode_errors=FILE_NAMES))
    travels = replace(
        result if parcel.full_size is None else at_size(result, parcel.full_size),
        id=parcel.id,
        path=None,
        output=None,
        error=result.error and readable(result.error),
        attempts=result.attempts + earlier,
        board=board,
    )
    return Answered(parcel.path, travels, output)


def at_size(result: Result, size: tuple[int, int]) -> Result:
    """Return the objects of a copy of an image in the pixels of the image, of this size."""
    if result.size is None or result.objects is None:
        return result
    right, down = (full / small for full, small in zip(size, result.size, strict=True))
    objects = tuple(
        replace(each, box=(x1 * right, y1 * down, x2 * right, y2 * down))
        for each in result.objects
        for x1, y1, x2, y2 in (each.box,)
    )
    return replace(result, size=size, objects=objects)


def refused(parcel: Parcel, error: ItemError, board: str, earlier: int) -> Answered:
    """Return the answer to a parcel that a board's farm did not get."""
    result = Result(
        id=parcel.id, path=None, error=error, worker=0, attempts=0, ms=NO_TIME, simulated=False
    )
    return answered(parcel, result, board, earlier)


def readable(error: ItemError) -> ItemError:
    """Return an error whose message is text: a file's name in it may be none."""
    message = error.message.encode("utf-8", "backslashreplace").decode()
    return ItemError(error.kind, message)


def messages(job: Job, all_answered: Sequence[Answered], most: int) -> Iterator[bytes]:
    """Give the messages that answer a job, each of `most` bytes at most.

    What is too large by itself becomes an error.
    """
    data = encode(Answers(job.run, tuple(all_answered)))
    if len(data) <= most - HEADROOM:
        yield data
    elif len(all_answered) > 1:
        half = len(all_answered) // 2
        yield from messages(job, all_answered[:half], most)
        yield from messages(job, all_answered[half:], most)
    else:
        (alone,) = all_answered
        error = ItemError("too_large", f"its answer has {len(data)} bytes; the hub takes {most}")
        short = replace(alone.result, top5=None, objects=None, size=None, error=error)
        yield encode(Answers(job.run, (Answered(alone.path, short, None),)))
