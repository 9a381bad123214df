"""What the farm returns for one item."""

from __future__ import annotations

import os
from dataclasses import dataclass

from farm.scheduler.events import Deliver, Task
from workers.protocol.messages import Encoded, FileRef, ItemError, Outcome, Pixels, Refused


@dataclass(frozen=True, slots=True)
class Prediction:
    """One of an item's most probable classes; `label` is None where there are no labels."""

    class_id: int
    label: str | None
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """Milliseconds an item spent: from submission to the start of its decoding (`queue`),
    in decoding, waiting for the runtime, in inference, and from submission to result."""

    queue: float
    decode: float
    wait: float
    infer: float
    total: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one item: `top5`, the best first, or `error`; exactly one of the two is None.

    `id` counts the items of its run, in the order they were submitted. `path` is None for items
    that were no files. `attempts` is how many workers had the item, `worker` the last one.
    `simulated` says that the answer is make-believe.
    """

    id: int
    path: str | None
    top5: tuple[Prediction, ...] | None
    error: ItemError | None
    worker: int
    attempts: int
    ms: Timings
    simulated: bool


def from_delivery(
    ended: Deliver, labels: tuple[str, ...] | None, *, simulated: bool, now: float
) -> Result:
    """Return the Result of a task that ended `now` (CLOCK_MONOTONIC seconds)."""
    task, outcome = ended.task, ended.outcome
    error = None
    top5: tuple[Prediction, ...] | None = None
    if isinstance(outcome, ItemError):
        error = outcome
    else:
        error = outcome.error
        # A number that no checked model gives has no label: a stranger may have sent it.
        known = range(len(labels)) if labels else ()
        if outcome.top5 is not None:
            top5 = tuple(
                Prediction(number, labels[number] if labels and number in known else None, score)
                for number, score in outcome.top5
            )
    return Result(
        id=task.item.id,
        path=path_of(task.item.source),
        top5=top5,
        error=error,
        worker=ended.worker,
        attempts=task.deaths + isinstance(outcome, Outcome),
        ms=_timings(task, outcome, now),
        simulated=simulated,
    )


def path_of(source: FileRef | Encoded | Pixels | Refused) -> str | None:
    """Return the path of an item as Python writes it, None if it was no file."""
    match source:
        case FileRef(path):
            return os.fsdecode(path)
        case Refused(path=bytes(path)):
            return path.decode("utf-8", "surrogatepass")
    return None


def _timings(task: Task, outcome: Outcome | ItemError, now: float) -> Timings:
    total = (now - task.submitted) * 1000
    if isinstance(outcome, ItemError):
        return Timings(queue=0.0, decode=0.0, wait=0.0, infer=0.0, total=total)
    return Timings(
        queue=max(0.0, outcome.started - task.submitted) * 1000,
        decode=outcome.decode_ms,
        wait=outcome.wait_ms,
        infer=outcome.infer_ms,
        total=total,
    )
