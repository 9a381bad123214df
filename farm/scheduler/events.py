"""What the dispatcher is told (events) and what it asks for (actions).

Structs of msgspec: as dataclasses these 12 would take 5 ms of every start, and each a microsecond.
"""

from __future__ import annotations

from msgspec import Struct

from workers.protocol.messages import Batch, Encoded, FileRef, Item, ItemError, Outcome, Pixels


class Job(Struct, frozen=True):
    """One item on its way: when it was submitted (seconds), how many workers died holding it.

    `run` is the run that submitted it, within which the item's id is unique. `died_at` is the
    last worker that died holding it.
    """

    item: Item
    submitted: float
    run: int = 0
    deaths: int = 0
    died_at: int | None = None

    @property
    def size(self) -> int:
        """How many bytes it carries: none if it names a file."""
        source = self.item.source
        if type(source) is FileRef:  # the usual one, asked first: of every job several times
            return 0
        return len(source.data) if isinstance(source, (Encoded, Pixels)) else 0


class Submitted(Struct, frozen=True):
    """A run has new jobs."""

    jobs: tuple[Job, ...]


class WorkerUp(Struct, frozen=True):
    """A worker is ready for work."""

    worker: int


class WorkerDown(Struct, frozen=True):
    """A worker is gone or unusable; `reason` says how."""

    worker: int
    reason: str


class Oversized(Struct, frozen=True):
    """A worker's memory has grown too much: replace it once it holds no batch."""

    worker: int


class Answered(Struct, frozen=True):
    """A worker has answered a batch."""

    worker: int
    batch: int
    outcomes: tuple[Outcome, ...]


class Tick(Struct, frozen=True):
    """Time has passed."""


class Dropped(Struct, frozen=True):
    """Nobody wants a run's waiting jobs any more, nor with `held` those that workers hold.

    With `items`, of the waiting jobs only those of these are meant, by the ids of their items.
    """

    run: int
    held: bool
    items: frozenset[int] | None = None


Event = Submitted | WorkerUp | WorkerDown | Oversized | Answered | Tick | Dropped


class Send(Struct, frozen=True):
    """Give `batch` to `worker`."""

    worker: int
    batch: Batch


class Deliver(Struct, frozen=True):
    """A job has ended, in an outcome of `worker` or in an error of the farm's own."""

    job: Job
    worker: int
    outcome: Outcome | ItemError


class Kill(Struct, frozen=True):
    """End `worker`; `reason` says why, `hangs` that it gave no answer in time."""

    worker: int
    reason: str
    hangs: bool = False


class Replace(Struct, frozen=True):
    """`worker` holds no batch and gets no more work: start a new process in its slot."""

    worker: int


Action = Send | Deliver | Kill | Replace
