"""Raw model outputs to the five most probable classes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import Enum
from typing import Final

import numpy as np
import numpy.typing as npt

from workers.errors import RuntimeFailure
from workers.images.fit import ImageInfo
from workers.protocol.messages import ItemError, Ranked
from workers.protocol.spec import AUTO, NONE, SOFTMAX, K
from workers.tasks.shapes import check_classifier
from workers.tasks.task import Answer, Model, Outputs

# TFLite's quantisation specification fixes softmax outputs at scale 1/256; zero point 0 as
# uint8, -128 as int8. A model with integer outputs has these.
QUANTISED_STEP: Final = 1 / 256
ROUNDING: Final = 0.01

NOT_FINITE: Final = "the model returned scores that are not finite numbers"

Scores = npt.NDArray[np.float32]


class Scoring(Enum):
    """How a model's scores become probabilities: decided once, the same for all its images."""

    SOFTMAX = "they are logits, and need a softmax"
    PROBABILITIES = "they are probabilities, from 0 to 1; others are refused"
    UNCHANGED = "they stay as they are, whatever they are"


class Classification:
    """Names the most probable classes of images."""

    def __init__(self, output: str, model: Model) -> None:
        check_classifier(model.path, model.shapes)
        (scores,) = model.outputs
        self.classes = scores.size
        self._scoring = choose_scoring(output, scores)
        self.reading = self._scoring.name

    def answer(self, images: Sequence[tuple[Outputs, ImageInfo]]) -> list[Answer | ItemError]:
        """See Task.answer; all images are ranked at once."""
        raw = [outputs[0] for outputs, _ in images]
        fit = [scores for scores in raw if scores.size == self.classes]
        ranked = iter(rank(fit, self._scoring))
        return [
            next(ranked) if scores.size == self.classes else self._other(scores) for scores in raw
        ]

    def _other(self, scores: npt.NDArray[np.generic]) -> ItemError:
        """Return the error of an image with another number of scores; the shape may be open."""
        why = f"{scores.size} scores came, in the self-test {self.classes}"
        return ItemError("bad_output", why)


def choose_scoring(output: str, raw: npt.NDArray[np.generic]) -> Scoring:
    """Return how to read a model's scores, from the config's `output` and one of its outputs.

    See docs/decisions/0007-scores.md for the rule. Raises RuntimeFailure for scores that are not
    finite, for dtypes as `rank`, and for integers whose unit is unknown: they are neither a
    quantised softmax, nor said to be probabilities.
    """
    rows, (low,), (high,) = read_scores(raw.reshape(1, -1))
    scores, lowest, highest = rows[0], float(low), float(high)
    if not (math.isfinite(lowest) and math.isfinite(highest)):
        raise RuntimeFailure(NOT_FINITE)
    integers = raw.dtype.kind in "iu"
    if output == NONE:
        return Scoring.UNCHANGED
    # Each of n integers is rounded by half a step at most.
    slack = ROUNDING + scores.size * QUANTISED_STEP / 2
    if integers and (output == SOFTMAX or abs(float(scores.sum()) - 1.0) > slack):
        raise RuntimeFailure(
            f"the model returns {raw.dtype} scores that are not a softmax in steps of 1/256; "
            "export it with float32 scores, or set output: none if each is a probability"
        )
    if output == AUTO and are_probabilities(lowest, highest):
        return Scoring.PROBABILITIES
    return Scoring.SOFTMAX


def rank(
    outputs: Sequence[npt.NDArray[np.generic]], scoring: Scoring = Scoring.PROBABILITIES
) -> list[Ranked | ItemError]:
    """Rank one model's outputs for some images at once, or say why one can't be.

    Each has n scores: float32 or float16, or quantised probabilities as uint8 or int8, in any
    shape. Equal scores keep the order of their class numbers; probabilities that are 0 are left
    out. An image's error is `bad_output`: scores that are not finite, or probabilities that are
    none. Raises RuntimeFailure for other dtypes.
    """
    if not outputs:
        return []
    scores, lowest, highest = read_scores(np.stack([raw.reshape(-1) for raw in outputs]))
    if scoring is Scoring.SOFTMAX:
        with np.errstate(invalid="ignore"):  # in rows that are not finite, which are refused
            # The largest is 1: no overflow.
            powers: Scores = np.exp(scores - highest[:, np.newaxis])
            scores = powers / powers.sum(axis=1, keepdims=True)
    found = best(scores)
    values = np.take_along_axis(scores, found, axis=1)
    # Of scores that stay as they are, 0 may be a high one.
    counts = (
        np.count_nonzero(values, axis=1) if scoring is not Scoring.UNCHANGED else [K] * len(values)
    )
    rows = zip(
        lowest.tolist(), highest.tolist(), found.tolist(), values.tolist(), counts, strict=True
    )
    return [
        refusal(low, high, scoring)
        or Ranked(tuple(zip(classes[:count], best_scores[:count], strict=True)))
        for low, high, classes, best_scores, count in rows
    ]


def refusal(lowest: float, highest: float, scoring: Scoring) -> ItemError | None:
    """Return why scores in this range are no answer, if they are none."""
    if not (math.isfinite(lowest) and math.isfinite(highest)):  # either is NaN if any score is
        return ItemError("bad_output", NOT_FINITE)
    if scoring is Scoring.PROBABILITIES and not are_probabilities(lowest, highest):
        return ItemError(
            "bad_output",
            f"the model's scores are {lowest:.4g} to {highest:.4g}, in its self-test they were "
            "0 to 1: set output: softmax if they are logits, else output: none",
        )
    return None


def read_scores(raw: npt.NDArray[np.generic]) -> tuple[Scores, Scores, Scores]:
    """Return rows of n scores as float32, and the lowest and the highest of each row.

    They are NaN if any of the row's is. Raises RuntimeFailure for a dtype that has no meaning here.
    """
    if raw.dtype in (np.float32, np.float16):
        scores: Scores = raw.astype(np.float32, copy=False)
    elif raw.dtype == np.uint8:
        scores = raw.astype(np.float32) * np.float32(QUANTISED_STEP)
    elif raw.dtype == np.int8:
        scores = (raw.astype(np.float32) + np.float32(128)) * np.float32(QUANTISED_STEP)
    else:
        raise RuntimeFailure(f"the model returns {raw.dtype} scores; float32 or (u)int8 is needed")
    if scores.size == 0:
        raise RuntimeFailure("the model returned no scores")
    return scores, scores.min(axis=1), scores.max(axis=1)


def are_probabilities(lowest: float, highest: float) -> bool:
    """Return whether all scores are from 0 to 1, but for what a float16 is rounded by."""
    return lowest >= 0.0 and highest <= 1.0 + ROUNDING


def best(scores: Scores) -> npt.NDArray[np.intp]:
    """Return the indices of each row's five highest scores (all, if fewer), best first."""
    left, rows = scores.copy(), np.arange(len(scores))
    found = np.empty((len(scores), min(K, scores.shape[1])), np.intp)
    for place in range(found.shape[1]):
        found[:, place] = left.argmax(axis=1)  # the first of equal ones
        left[rows, found[:, place]] = -np.inf
    return found
