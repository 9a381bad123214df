"""Finds the task that a worker's spec names."""

from __future__ import annotations

import json
from functools import partial

from workers.protocol.spec import CLASSIFY, DETECT, WorkerSpec
from workers.tasks.classification import Classification
from workers.tasks.detection import detection
from workers.tasks.own import find
from workers.tasks.task import MakeTask


def find_task(spec: WorkerSpec) -> MakeTask:
    """Return what makes the task of a model; raise RuntimeFailure if there is no such task."""
    options = json.loads(spec.task_options)
    if spec.task == CLASSIFY:
        return partial(Classification, spec.output)
    if spec.task == DETECT:
        return detection(options)
    return find(spec.task, options)
