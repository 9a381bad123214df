"""What the farm gives back for one item."""

from __future__ import annotations

import os
from dataclasses import dataclass

from farm.scheduler.events import Deliver, Task
from workers.protocol.messages import FileRef, ItemError, Outcome


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

    `id` counts the items of a farm from 0, in the order they were submitted. `path` is None for
    items that were no files. `attempts` is how many workers had the item, `worker` the last one.
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
    """Make the Result of a task that ended `now` (CLOCK_MONOTONIC seconds)."""
    task, outcome = ended.task, ended.outcome
    answered = isinstance(outcome, Outcome)
    source = task.item.source
    return Result(
        id=task.item.id,
        path=os.fsdecode(source.path) if isinstance(source, FileRef) else None,
        top5=_predictions(outcome, labels),
        error=outcome.error if isinstance(outcome, Outcome) else outcome,
        worker=ended.worker,
        attempts=task.deaths + (1 if answered else 0),
        ms=_timings(task, outcome, now),
        simulated=simulated,
    )


def _predictions(
    outcome: Outcome | ItemError, labels: tuple[str, ...] | None
) -> tuple[Prediction, ...] | None:
    if isinstance(outcome, ItemError) or outcome.top5 is None:
        return None
    return tuple(
        Prediction(class_id, _label(class_id, labels), score) for class_id, score in outcome.top5
    )


def _label(class_id: int, labels: tuple[str, ...] | None) -> str | None:
    """A class's name; None for a number that no checked model gives, which a stranger may say."""
    return labels[class_id] if labels and 0 <= class_id < len(labels) else None


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
