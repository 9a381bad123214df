"""What the farm returns for one item."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any

from farm.scheduler.events import Deliver, Job
from workers.protocol.messages import (
    Box,
    Detected,
    Encoded,
    FileRef,
    ItemError,
    Outcome,
    Output,
    Pixels,
    Ranked,
    Refused,
)


@dataclass(frozen=True, slots=True)
class Prediction:
    """One of an item's most probable classes; `label` is None where there are no labels."""

    class_id: int
    label: str | None
    score: float


@dataclass(frozen=True, slots=True)
class DetectedObject:
    """An object in an image; its `box` (left, top, right, bottom) is in the upright image's pixels.

    `label` is None where there are no labels.
    """

    class_id: int
    label: str | None
    score: float
    box: Box


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """Milliseconds an item spent: from submission to the start of its decoding (`queue`),
    in decoding, waiting for the runtime, in inference, in its task, and from submission to result.
    """

    queue: float
    decode: float
    wait: float
    infer: float
    total: float
    task: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one item: its answer, or an `error`.

    The answer is that of the farm's task: `top5`, the best first; `objects`, the best first, with
    the `size` (width, height) of the upright image; or the `output` of a task of the user's. What
    is not the task's, and what an item with an error has not, is None.

    `id` counts the items of its run, in the order they were submitted. `path` is None for items
    that were no files. `attempts` is how many workers had the item, `worker` the last one.
    `simulated` says that the answer is make-believe. `read_at` is when the last worker began to
    read it, in seconds since 1970; None if that is not known. `board` is the one of a hub's that
    had it; None where there is no hub.
    """

    id: int
    path: str | None
    top5: tuple[Prediction, ...] | None = None
    objects: tuple[DetectedObject, ...] | None = None
    size: tuple[int, int] | None = None
    output: Any = None
    error: ItemError | None
    worker: int
    attempts: int
    ms: Timings
    simulated: bool
    read_at: float | None = None
    board: str | None = None


def from_delivery(
    ended: Deliver, labels: tuple[str, ...] | None, *, simulated: bool, now: float
) -> Result:
    """Return the Result of a job that ended `now` (CLOCK_MONOTONIC seconds)."""
    job, outcome = ended.job, ended.outcome
    answer, error = None, None
    if isinstance(outcome, ItemError):
        error = outcome
    else:
        answer, error = outcome.answer, outcome.error
    return Result(
        id=job.item.id,
        path=path_of(job.item.source),
        **answered(answer, labels or ()),
        error=error,
        worker=ended.worker,
        attempts=job.deaths + isinstance(outcome, Outcome),
        ms=timings(job, outcome, now),
        simulated=simulated,
        read_at=time.time() - (now - outcome.started) if isinstance(outcome, Outcome) else None,
    )


def answered(answer: Ranked | Detected | Output | None, labels: tuple[str, ...]) -> dict[str, Any]:
    """Return a Result's fields that hold an answer."""
    # A number that no checked model gives has no label: a stranger may have sent it.
    known = range(len(labels))
    match answer:
        case Ranked(top5):
            named = ((n, labels[n] if n in known else None, score) for n, score in top5)
            return {"top5": tuple(Prediction(*each) for each in named)}
        case Detected(size, objects):
            found = (
                (n, labels[n] if n in known else None, score, box) for n, score, box in objects
            )
            return {"objects": tuple(DetectedObject(*each) for each in found), "size": size}
        case Output():
            return {"output": answer.value()}
    return {}


def path_of(source: FileRef | Encoded | Pixels | Refused) -> str | None:
    """Return the path of an item as Python writes it, None if it was no file."""
    match source:
        case FileRef(path):
            return os.fsdecode(path)
        case Refused(path=bytes(path)):
            return path.decode("utf-8", "surrogatepass")
    return None


def timings(job: Job, outcome: Outcome | ItemError, now: float) -> Timings:
    """Return what became of a job's time until `now` (CLOCK_MONOTONIC seconds)."""
    if isinstance(outcome, ItemError):
        total = (now - job.submitted) * 1000
        return Timings(queue=0.0, decode=0.0, wait=0.0, infer=0.0, total=total)
    queue, decode, wait, infer, task, total = stages(job, outcome, now)
    return Timings(queue=queue, decode=decode, wait=wait, infer=infer, task=task, total=total)


def stages(
    job: Job, outcome: Outcome, now: float
) -> tuple[float, float, float, float, float, float]:
    """Return the same of an outcome, in milliseconds, in the order of stats.PHASES_WITH_TASK."""
    started, submitted = outcome.started, job.submitted
    queue = (started - submitted) * 1000 if started > submitted else 0.0
    return (
        queue,
        outcome.decode_ms,
        outcome.wait_ms,
        outcome.infer_ms,
        outcome.task_ms,
        (now - submitted) * 1000,
    )
