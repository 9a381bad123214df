"""What one worker holds, as the dispatcher's ledger has it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from farm.scheduler.events import Job

FEW_ITEMS: Final = 4  # one in inference, one ready for it, two in decoding
FEW_BYTES: Final = 8 << 20


@dataclass(slots=True)
class InFlight:
    """A worker's batches by number, in the order in which they were sent; how many it answered.

    The oldest of them is due next: `oldest_since` is when (seconds) it was sent or, if there was
    one before it, when that was answered. Those behind it may be answered first, and change
    nothing: a worker that goes on with them may have a decoder that hangs in the oldest.

    A batch whose results nobody wants any more is held without jobs; its items, and the bytes that
    they carry, count all the same in `items` and `bytes`, as the worker still has them to do. A
    terminating worker is about to be killed, a retiring one to be replaced once it holds no batch.
    `suspect` is the number of a batch of which a worker has died, 0 if it holds none.
    """

    held: dict[int, tuple[Job, ...]] = field(default_factory=dict)
    items: int = 0
    bytes: int = 0
    oldest_since: float = 0.0
    terminating: bool = False
    retiring: bool = False
    answers: int = 0
    suspect: int = 0
    _sizes: dict[int, tuple[int, int]] = field(default_factory=dict)

    def has_room(self, job: Job, *, window: int, batch: int) -> bool:
        """Return whether it may be given a batch that begins with `job`.

        `window` batches are its share, of up to `batch` items. Batches of one item, as a server's
        are, would leave decoders idle: of such it may hold more, until they are FEW_ITEMS. A job
        that a worker died of is alone with it.
        """
        if self.terminating or self.retiring or self.suspect or (job.deaths and self.held):
            return False
        few = self.items < min(FEW_ITEMS, window * batch) and self.bytes + job.size <= FEW_BYTES
        return few or len(self.held) < window

    def add(self, batch: int, jobs: tuple[Job, ...], size: int, *, now: float) -> None:
        """Take in that the worker was sent a batch whose items carry `size` bytes."""
        if not self.held:
            self.oldest_since = now
        self.held[batch], self._sizes[batch] = jobs, (len(jobs), size)
        self.suspect = batch if jobs[0].deaths else 0
        self.items += len(jobs)
        self.bytes += size

    def is_oldest(self, batch: int) -> bool:
        """Whether a batch that it holds has been there longest."""
        return next(iter(self.held)) == batch

    def remove(self, batch: int, *, now: float) -> None:
        """Take in that the worker has answered a batch."""
        if self.is_oldest(batch):
            self.oldest_since = now
        del self.held[batch]
        self.suspect = 0 if batch == self.suspect else self.suspect
        items, size = self._sizes.pop(batch)
        self.items -= items
        self.bytes -= size
        self.answers += 1
