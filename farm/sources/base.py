"""What a source of images is, and the one over a Python iterable."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from farm.errors import SourceError
from workers.protocol.messages import Encoded, FileRef, Pixels

CHANNELS: Final = 3

Ref = FileRef | Encoded | Pixels
Item = str | os.PathLike[str] | bytes | npt.NDArray[np.uint8]


class Source(Protocol):
    """References to images, taken a few at a time."""

    total: int | None
    """How many there will be, None if that is not known."""

    @property
    def fds(self) -> tuple[int, ...]:
        """What to wait on after `take` returned nothing; empty if there is never a wait."""

    @property
    def exhausted(self) -> bool:
        """Whether `take` will return nothing from now on."""

    def take(self, count: int) -> list[Ref]:
        """Return up to `count` references, fewer if there are no more yet; never block for long."""


class IterableSource:
    """A source over any Python iterable of references."""

    fds: tuple[int, ...] = ()

    def __init__(self, refs: Iterable[Ref], total: int | None = None) -> None:
        self._refs = iter(refs)
        self.total = total
        self.exhausted = False
        self._error: Exception | None = None

    @classmethod
    def from_items(cls, items: Iterable[Item]) -> IterableSource:
        """Return a source of what Farm.classify takes: paths, encoded bytes, uint8 BGR arrays.

        Raises SourceError for a single item and for what is not iterable.
        """
        single = isinstance(items, (str, bytes, bytearray, memoryview, os.PathLike))
        if single or (
            isinstance(items, np.ndarray) and items.dtype == np.uint8 and items.ndim == 3
        ):
            raise SourceError("a single image: put it into a list")
        if not isinstance(items, Iterable):
            raise SourceError(f"{type(items).__name__}: not an iterable of images")
        total = len(items) if isinstance(items, Sequence) else None
        return cls(map(to_ref, items), total)

    def take(self, count: int) -> list[Ref]:
        """See Source.take."""
        if self._error is not None:
            raise self._error
        taken: list[Ref] = []
        try:
            for ref in islice(self._refs, count):
                taken.append(ref)  # noqa: PERF402 - what came before an error stays
        except Exception as error:
            if not taken:
                raise
            self._error = error  # of the iterable: what came before it counts
            return taken
        self.exhausted = self.exhausted or len(taken) < count
        return taken


def to_ref(item: Any) -> Ref:
    """Return the reference to a path, encoded bytes or a uint8 BGR array; raise SourceError."""
    if isinstance(item, (str, os.PathLike)):
        return FileRef(os.fsencode(item))
    if isinstance(item, (bytes, bytearray, memoryview)):
        return Encoded(bytes(item))
    if isinstance(item, np.ndarray):
        if item.dtype != np.uint8 or item.ndim != 3 or item.shape[2] != CHANNELS:
            raise SourceError(
                f"an array of {item.dtype} {list(item.shape)}: "
                "use uint8, height x width x 3, in BGR order"
            )
        return Pixels(item.tobytes(), item.shape[0], item.shape[1])
    raise SourceError(f"{type(item).__name__}: not an image; use a path, bytes or a uint8 array")
