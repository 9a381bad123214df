"""Whether a worker has opened the model that the farm's other workers have."""

from __future__ import annotations

from workers.protocol.messages import Ready
from workers.protocol.spec import CLASSIFY, DETECT, WorkerSpec


def difference(first: Ready, later: Ready, spec: WorkerSpec) -> str | None:
    """Return why `later` can't join a farm whose first worker was ready with `first`, if it can't.

    Images are shared out among all workers: with two models, or two versions of a task, nobody
    could say which one an answer is of.
    """
    model = spec.model
    if later.model != first.model:
        return (
            f"{model} has changed since the farm started: restart the farm to use the new model, "
            "or put the old one back first"
        )
    if (later.input, later.classes) != (first.input, first.classes):
        return f"{model} has other inputs or classes here than in the other workers"
    if later.reading != first.reading and spec.task not in (CLASSIFY, DETECT):
        return (
            f"the module of the task {spec.task} has changed since the farm started: restart the "
            "farm to use the new one, or put the old one back first"
        )
    if later.reading != first.reading:
        return (
            f"its self-test read the scores as {later.reading}, the first worker's as "
            f"{first.reading}: set output: softmax or output: none"
        )
    return None
