"""The task `detect`: a detector's boxes, in pixels of the image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from workers.errors import ImageError, RuntimeFailure
from workers.images.fit import ImageInfo
from workers.protocol.messages import Detected, ItemError
from workers.tasks.detect import choose
from workers.tasks.detect_options import DetectOptions, parse
from workers.tasks.task import Answer, MakeTask, Model, Outputs


class Detection:
    """Finds objects in images."""

    def __init__(self, options: DetectOptions, model: Model) -> None:
        for output in model.outputs:
            if output.dtype.kind != "f":
                raise RuntimeFailure(
                    f"{model.path} returns {output.dtype}; a detector with float outputs is needed"
                )
        try:
            self._head = choose(model.shapes, (model.width, model.height), options)
        except RuntimeFailure as refused:
            raise RuntimeFailure(f"{model.path}: {refused}") from refused
        self.classes = self._head.classes or 0
        self.reading = self._head.family

    def answer(self, images: Sequence[tuple[Outputs, ImageInfo]]) -> list[Answer | ItemError]:
        """See Task.answer."""
        return [self._answer(*image) for image in images]

    def _answer(self, outputs: Outputs, image: ImageInfo) -> Detected | ItemError:
        try:
            found, classes, scores = self._head.decode(
                [np.asarray(output, np.float32) for output in outputs]
            )
        except ImageError as error:
            return ItemError(error.kind, str(error))
        boxes = image.to_image(found)
        # Of what lies in the bars beside the image alone, nothing is left.
        seen = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
        rows = zip(
            classes[seen].tolist(),
            scores[seen].tolist(),
            map(tuple, boxes[seen].tolist()),
            strict=True,
        )
        return Detected((image.width, image.height), tuple(rows))


def detection(options: Mapping[str, Any]) -> MakeTask:
    """Return what makes the task with these options; raise RuntimeFailure for invalid ones."""
    return partial(Detection, parse(options))
