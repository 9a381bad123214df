"""What one worker holds, as the dispatcher's ledger has it."""

from __future__ import annotations

from dataclasses import dataclass, field

from farm.scheduler.events import Job


@dataclass(slots=True)
class InFlight:
    """A worker's batches by number, in the order in which they were sent; how many it answered.

    The oldest of them is due next: `oldest_since` is when (seconds) it was sent or, if there was
    one before it, when that was answered. Those behind it may be answered first, and change
    nothing: a worker that goes on with them may have a decoder that hangs in the oldest.

    A batch whose results nobody wants any more is held without jobs; its items, and the bytes that
    they carry, count all the same in `items` and `bytes`, as the worker still has them to do. A
    terminating worker is
    about to be killed, a retiring one to be replaced once it holds no batch.
    """

    held: dict[int, tuple[Job, ...]] = field(default_factory=dict)
    items: int = 0
    bytes: int = 0
    oldest_since: float = 0.0
    terminating: bool = False
    retiring: bool = False
    answers: int = 0
    _sizes: dict[int, tuple[int, int]] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        """Whether it may be given more: a job that a worker died of stays alone with it."""
        if self.terminating or self.retiring:
            return False
        return not any(job.deaths for jobs in self.held.values() for job in jobs)

    def add(self, batch: int, jobs: tuple[Job, ...], size: int, *, now: float) -> None:
        """Take in that the worker was sent a batch whose items carry `size` bytes."""
        if not self.held:
            self.oldest_since = now
        self.held[batch], self._sizes[batch] = jobs, (len(jobs), size)
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
        items, size = self._sizes.pop(batch)
        self.items -= items
        self.bytes -= size
        self.answers += 1
