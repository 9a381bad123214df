"""How images are put together to jobs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from farm.cluster.messages import Data, Parcel, Shared, Stored

OVERHEAD: Final = 50  # bytes
MOST_IMAGES: Final = 16  # in a job: fewer messages, and a board that dies has not much to repeat


def images_of_next(left: int | None, boards: int) -> int:
    """Return how many images the next job should have, of which `left` are left to send.

    Towards the end jobs get smaller, so that all boards end at about the same time.
    """
    if left is None:
        return MOST_IMAGES
    return max(1, min(MOST_IMAGES, left // (2 * max(1, boards))))


def split(parcels: Iterable[Parcel], most_bytes: int) -> Iterator[tuple[Parcel, ...]]:
    """Give the parcels in jobs, each of `most_bytes` at most where that is more than one parcel."""
    job: list[Parcel] = []
    size = 0
    for parcel in parcels:
        if job and size + carried(parcel) > most_bytes:
            yield tuple(job)
            job, size = [], 0
        job.append(parcel)
        size += carried(parcel)
    if job:
        yield tuple(job)


def carried(parcel: Parcel) -> int:
    """Return about how many bytes a parcel takes of the hub."""
    match parcel.source:
        case Data(data):
            size = len(data)
        case Shared(path):
            size = len(path)
        case Stored(size=size):
            pass
    return size + len(parcel.path or b"") + OVERHEAD
