"""Whether a model is one for its farm's task, by the shapes in its file; before anything starts."""

from __future__ import annotations

import json
from collections.abc import Sequence

from workers.errors import RuntimeFailure
from workers.protocol.spec import CLASSIFY, DETECT, WorkerSpec
from workers.runtimes.base import CHANNELS, check_inputs
from workers.tasks.detect_options import parse
from workers.tasks.shapes import check_classifier

Shape = tuple[int, ...]
IMAGE_DIMENSIONS = 4


def check_shapes(spec: WorkerSpec, inputs: Sequence[Shape], outputs: Sequence[Shape]) -> None:
    """Raise RuntimeFailure for a model with inputs and outputs that are none for the task.

    They are empty where its file does not tell them. Of a task of the user's only a worker knows.
    """
    if not (inputs and outputs):
        return
    check_inputs(spec.model, len(inputs))
    if spec.task == CLASSIFY:
        check_classifier(spec.model, outputs)
    elif spec.task == DETECT and len(inputs[0]) == IMAGE_DIMENSIONS:
        # With numpy and OpenCV, which a coordinator does not need otherwise.
        from workers.tasks.detect import choose

        (image,) = inputs
        height, width = image[2:] if image[1] == CHANNELS else image[1:3]
        try:
            choose(outputs, (width, height), parse(json.loads(spec.task_options)))
        except RuntimeFailure as refused:
            raise RuntimeFailure(f"{spec.model}: {refused}") from refused
