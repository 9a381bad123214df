"""What the farm gives back for one item."""

from __future__ import annotations

from dataclasses import dataclass

from workers.wire import ItemError


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
