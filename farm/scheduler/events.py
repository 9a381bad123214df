"""What the dispatcher is told (events) and what it asks for (actions)."""

from __future__ import annotations

from dataclasses import dataclass

from workers.protocol.messages import Batch, Encoded, FileRef, Item, ItemError, Outcome, Pixels


@dataclass(frozen=True, slots=True)
class Task:
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
        if type(source) is FileRef:  # the usual one, asked first: of every task several times
            return 0
        return len(source.data) if isinstance(source, (Encoded, Pixels)) else 0


@dataclass(frozen=True, slots=True)
class Submitted:
    """A run has new tasks."""

    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True)
class WorkerUp:
    """A worker is ready for work."""

    worker: int


@dataclass(frozen=True, slots=True)
class WorkerDown:
    """A worker is gone or unusable; `reason` says how."""

    worker: int
    reason: str


@dataclass(frozen=True, slots=True)
class Oversized:
    """A worker's memory has grown too much: replace it once it holds no batch."""

    worker: int


@dataclass(frozen=True, slots=True)
class Answered:
    """A worker has answered a batch."""

    worker: int
    batch: int
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """Nobody wants a run's waiting tasks any more, nor with `held` those that workers hold."""

    run: int
    held: bool


Event = Submitted | WorkerUp | WorkerDown | Oversized | Answered | Tick | Dropped


@dataclass(frozen=True, slots=True)
class Send:
    """Give `batch` to `worker`."""

    worker: int
    batch: Batch


@dataclass(frozen=True, slots=True)
class Deliver:
    """A task has ended, in an outcome of `worker` or in an error of the farm's own."""

    task: Task
    worker: int
    outcome: Outcome | ItemError


@dataclass(frozen=True, slots=True)
class Kill:
    """End `worker`; `reason` says why, `hangs` that it gave no answer in time."""

    worker: int
    reason: str
    hangs: bool = False


@dataclass(frozen=True, slots=True)
class Replace:
    """`worker` holds no batch and gets no more work: start a new process in its slot."""

    worker: int


Action = Send | Deliver | Kill | Replace
