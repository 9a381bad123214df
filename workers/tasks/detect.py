"""A detector's outputs to boxes with their classes and scores."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from workers.errors import ImageError, RuntimeFailure
from workers.tasks.detect_choice import resolve, words
from workers.tasks.detect_families import E2E, Reading, Shape
from workers.tasks.detect_heads import find
from workers.tasks.detect_options import AUTO, Anchors, DetectOptions, parse
from workers.tasks.suppression import suppress

ONE_EACH: Final = ("yolov10", E2E)  # models that give one box for each object
MOST_CANDIDATES: Final = 5000  # the best; comparing them takes time as their square
ABOVE_ZERO: Final = float(np.finfo(np.float32).tiny)  # outputs are filled up with scores of 0

Detections = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], npt.NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Head:
    """A detector's outputs and what is made of them: chosen once, the same for all its images."""

    shapes: tuple[Shape, ...]
    reading: Reading
    options: DetectOptions

    @property
    def family(self) -> str:
        """The family as which they are read, a word of the option."""
        return self.reading.family

    @property
    def classes(self) -> int | None:
        """The number of classes; None of an end to end model, whose outputs don't tell."""
        return self.reading.classes

    def decode(self, outputs: Sequence[npt.NDArray[np.float32]]) -> Detections:
        """Return an image's boxes (N x 4), their classes and their scores, the best first.

        A box is x1 y1 x2 y2 in pixels of the input, and may reach beyond it. Raises ImageError
        `bad_output` for outputs that are no such detector's: other shapes, scores that are not 0 to
        1 or not finite, impossible boxes.
        """
        shapes = tuple(output.shape for output in outputs)
        if shapes != self.shapes and not self._only_other_count(shapes):
            raise ImageError(
                "bad_output",
                f"the model's outputs are {words(shapes)}, in its self-test they were "
                f"{words(self.shapes)}",
            )
        boxes, classes, scores = find(self.reading, outputs, max(self.options.score, ABOVE_ZERO))
        if self.options.classes is not None:
            wanted = np.isin(classes, self.options.classes)
            boxes, classes, scores = boxes[wanted], classes[wanted], scores[wanted]
        order = np.argsort(-scores, kind="stable")
        if self.family not in ONE_EACH:
            order = order[:MOST_CANDIDATES]
            kept = suppress(boxes[order], classes[order], scores[order], self.options.iou)
            order = order[kept]
        best = order[: self.options.limit]
        return boxes[best], classes[best].astype(np.int64, copy=False), scores[best]

    def _only_other_count(self, shapes: tuple[Shape, ...]) -> bool:
        """Whether these are an end to end model's with more boxes, or with less."""
        return self.family == E2E and len(shapes) == 1 and shapes[0][-1:] == self.shapes[0][-1:]


def choose(
    shapes: Sequence[Sequence[int]],
    size: tuple[int, int],
    options: DetectOptions | None = None,
) -> Head:
    """Return how to read a model's outputs of these shapes, its input being `size`.

    That is width and height in pixels. Raises RuntimeFailure if they are no detector's, another
    family's than the named one, or several families'; for anchors of a family without; and for
    classes that the model has not.
    """
    options = options or DetectOptions()
    plain = tuple(tuple(shape) for shape in shapes)
    reading = resolve(plain, size, options)
    for wanted in options.classes or ():
        if isinstance(wanted, str):
            raise RuntimeFailure(f"classes: {wanted}: no labels here say which number that is")
        if reading.classes is not None and wanted >= reading.classes:
            raise RuntimeFailure(
                f"classes: {wanted}: the model has {reading.classes}, from 0 to "
                f"{reading.classes - 1}"
            )
    return Head(plain, reading, options)


def decode(  # noqa: PLR0913  # the options of a config, for programs that have outputs of their own
    outputs: Sequence[npt.NDArray[np.float32]],
    size: tuple[int, int],
    *,
    family: str = AUTO,
    score: float = 0.25,
    iou: float = 0.45,
    limit: int = 300,
    anchors: Anchors | None = None,
    classes: Collection[int] | None = None,
) -> Detections:
    """Return one image's boxes, classes and scores, see Head.decode.

    `size` is width and height of the model's input, for the options see DetectOptions. Raises
    RuntimeFailure as `parse` and `choose`, and ImageError as Head.decode.
    """
    options = parse(
        {
            "family": family,
            "score": score,
            "iou": iou,
            "limit": limit,
            "anchors": anchors,
            "classes": None if classes is None else tuple(classes),
        }
    )
    head = choose([output.shape for output in outputs], size, options)
    return head.decode(outputs)
