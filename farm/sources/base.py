"""What a source of images is, and the one over a Python iterable."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable, Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from farm.errors import SourceError
from farm.system.deferred_handlers import HANDLERS, Paused
from workers.protocol.messages import Encoded, FileRef, Pixels, Refused

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from typing_extensions import TypeIs

CHANNELS: Final = 3
LONGEST_PATH: Final = 4095  # bytes; Linux opens no longer one
CUT: Final = b"..."  # ends a path of which only the beginning is kept
TAKE_BYTES: Final = 8 << 20  # are enough for a batch: arrays are copied
MOST_BYTES: Final = 2**32 - 1  # what a message can hold in one piece
HELD: Final = (list, tuple, set, frozenset, dict)  # have their items already, as arrays do

Ref = FileRef | Encoded | Pixels | Refused
Item: TypeAlias = "str | os.PathLike[str] | bytes | npt.NDArray[np.uint8]"


class Source(Protocol):
    """References to images, taken a few at a time."""

    total: int | None
    """How many there will be, None if that is not known."""

    @property
    def fds(self) -> tuple[int, ...]:
        """What to wait on after `take` returned nothing; empty if there is never a wait."""

    @property
    def blocks(self) -> bool:
        """Whether `take` waits for an item that is not there yet: see Run.feed."""

    @property
    def exhausted(self) -> bool:
        """Whether `take` will return nothing from now on."""

    def take(self, count: int) -> list[Ref]:
        """Return up to `count` references, at least one unless there is none (now).

        Raises an error once all before it have been returned. The program's signal handlers wait
        meanwhile, but for what is done within farm.system.deferred_handlers.Paused.
        """


class IterableSource:
    """A source over any Python iterable of what `convert` makes references of.

    `blocks` if it may take time over them.
    """

    fds: tuple[int, ...] = ()

    def __init__(
        self,
        items: Iterable[Any],
        total: int | None = None,
        *,
        blocks: bool = False,
        convert: Callable[[Any], Ref] | None = None,
    ) -> None:
        self._items, self._convert = iter(items), convert
        self._held: deque[Any] = deque()  # items that are not converted yet
        self.total, self.blocks = total, blocks
        self._ended = False
        self._error: Exception | None = None

    @property
    def exhausted(self) -> bool:
        """See Source.exhausted."""
        return self._ended and not self._held and self._error is None

    @classmethod
    def from_items(cls, items: Iterable[Item]) -> IterableSource:
        """Return a source of what Farm.classify takes: paths, encoded bytes, uint8 BGR arrays.

        Raises SourceError for a single item and for what is not iterable.
        """
        single = isinstance(items, (str, bytes, bytearray, memoryview, os.PathLike))
        if single or (is_array(items) and items.dtype == "uint8" and items.ndim == 3):
            raise SourceError("a single image: put it into a list")
        if not isinstance(items, Iterable):
            raise SourceError(f"{type(items).__name__}: not an iterable of images")
        total = len(items) if isinstance(items, HELD) or is_array(items) else None
        return cls(items, total, blocks=total is None, convert=to_ref)

    def take(self, count: int) -> list[Ref]:
        """See Source.take."""
        with Paused():
            self._hold(count)
        taken: list[Ref] = []
        size = 0
        try:
            while self._held and len(taken) < count and size < TAKE_BYTES:
                item = self._held.popleft()
                ref = item if self._convert is None else self._convert(item)
                taken.append(ref)
                size += len(ref.data) if isinstance(ref, (Encoded, Pixels)) else 0
        except Exception as error:
            self._error, self._ended = error, True
            self._held.clear()
        if self._error is not None and not taken:
            raise self._error
        return taken

    def _hold(self, count: int) -> None:
        """Hold `count` items, as far as there are as many."""
        if self._ended or len(self._held) >= count:
            return
        try:
            # In one step of C: no item is lost to a KeyboardInterrupt between two of Python.
            self._held.extend(islice(self._items, count - len(self._held)))
        except Exception as error:
            if error is HANDLERS.raised:
                raise
            self._error = error  # of the iterable: what came before it counts
        self._ended = len(self._held) < count


def to_ref(item: Any) -> Ref:
    """Return the reference to a path, encoded bytes or a uint8 BGR array; raise SourceError."""
    if isinstance(item, (str, os.PathLike)):
        return path_ref(item)
    if isinstance(item, (bytes, bytearray, memoryview)):
        size = memoryview(item).nbytes
        return Encoded(bytes(item)) if size <= MOST_BYTES else too_large(size)
    if is_array(item):
        if item.dtype != "uint8" or item.ndim != 3 or item.shape[2] != CHANNELS:
            raise SourceError(
                f"an array of {item.dtype} {list(item.shape)}: "
                "use uint8, height x width x 3, in BGR order"
            )
        if item.nbytes > MOST_BYTES:
            return too_large(item.nbytes)
        return Pixels(item.tobytes(), item.shape[0], item.shape[1])
    raise SourceError(f"{type(item).__name__}: not an image; use a path, bytes or a uint8 array")


def is_array(item: object) -> TypeIs[npt.NDArray[Any]]:
    """Return whether it is a numpy array; numpy is not imported for that."""
    # Who has an array has numpy, or it is none. Without it the coordinator starts 0.1 s earlier.
    return isinstance(item, getattr(sys.modules.get("numpy"), "ndarray", ()))


def path_ref(path: str | bytes | os.PathLike[str]) -> Ref:
    """Return the reference to a path, of which no more than its first 4095 bytes are kept.

    A longer one stays too long for any file, so it ends in an error. A relative path is of the
    folder that is current now: workers keep the one in which they were started.
    """
    try:
        encoded = os.fsencode(path)
    except UnicodeEncodeError as error:
        message = f"its name can't be encoded as {error.encoding}"
        return Refused("unreadable", message, error.object.encode("utf-8", "surrogatepass"))
    except StopIteration as error:  # it would look like the end of the items
        raise SourceError(f"{type(path).__name__}: its __fspath__ raised StopIteration") from error
    if len(encoded) > LONGEST_PATH:
        return FileRef(encoded[:LONGEST_PATH] + CUT)
    if encoded.startswith(b"/") or not encoded:
        return FileRef(encoded)
    try:
        return FileRef(encoded, os.getcwdb())
    except FileNotFoundError:
        name = os.fsdecode(encoded).encode("utf-8", "surrogatepass")
        return Refused("missing", "the current folder has been removed", name)


def too_large(size: int) -> Refused:
    """Return the refusal of an item of `size` bytes, more than a message can hold."""
    return Refused("too_large", f"{size} bytes; an item can have {MOST_BYTES} at most", None)
