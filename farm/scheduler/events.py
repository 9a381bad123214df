"""What the dispatcher hears (events) and what it asks for (actions)."""

from __future__ import annotations

from dataclasses import dataclass

from workers.protocol.messages import Batch, Item, ItemError, Outcome


@dataclass(frozen=True, slots=True)
class Task:
    """One item on its way: when it was submitted (seconds), how many workers died holding it.

    `died_at` is the last of those workers.
    """

    item: Item
    submitted: float
    deaths: int = 0
    died_at: int | None = None


@dataclass(frozen=True, slots=True)
class Submitted:
    """New tasks have come."""

    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True)
class WorkerUp:
    """A worker is ready for work."""

    worker: int


@dataclass(frozen=True, slots=True)
class WorkerDown:
    """A worker is gone, or of no more use; `reason` says how."""

    worker: int
    reason: str


@dataclass(frozen=True, slots=True)
class Oversized:
    """A worker's memory has grown too much: it is to be replaced when its hands are empty."""

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
    """Nobody wants the waiting tasks any more; `held` says whether that goes for held ones, too."""

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
    """`worker` must go; `reason` says why, `hangs` that it is for giving no answer."""

    worker: int
    reason: str
    hangs: bool = False


@dataclass(frozen=True, slots=True)
class Replace:
    """`worker` has empty hands and gets no more work: a new process is to take its slot."""

    worker: int


Action = Send | Deliver | Kill | Replace
