"""Raw model outputs to the five most probable classes."""

from __future__ import annotations

import math
from enum import Enum
from typing import Final

import numpy as np
import numpy.typing as npt

from workers.errors import RuntimeFailure
from workers.protocol.spec import AUTO, NONE, SOFTMAX

K: Final = 5
# TFLite's quantisation specification fixes softmax outputs at scale 1/256; zero point 0 as
# uint8, -128 as int8. A model with integer outputs has these.
QUANTISED_STEP: Final = 1 / 256
ROUNDING: Final = 0.01

Scores = npt.NDArray[np.float32]


class Scoring(Enum):
    """How a model's scores become probabilities: decided once, the same for all its images."""

    SOFTMAX = "they are logits, and need a softmax"
    PROBABILITIES = "they are probabilities, from 0 to 1; others are refused"
    UNCHANGED = "they stay as they are, whatever they are"


def choose_scoring(output: str, raw: npt.NDArray[np.generic]) -> Scoring:
    """Return how to read a model's scores, from the config's `output` and one of its outputs.

    See docs/decisions/0007-scores.md for the rule. Raises RuntimeFailure as `top5`, and for
    integers whose unit is unknown: they are neither a quantised softmax, nor said to be
    probabilities.
    """
    scores, lowest, highest = read_scores(raw)
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


def top5(
    raw: npt.NDArray[np.generic], scoring: Scoring = Scoring.PROBABILITIES
) -> tuple[tuple[int, float], ...]:
    """Rank one model output of n scores: up to five (class, probability), the best first.

    `raw` holds float32 or float16, or quantized probabilities as uint8 or int8, in any shape.
    Equal scores keep the order of their class numbers. Raises RuntimeFailure for other dtypes, for
    scores that are not finite, and for probabilities that are none.
    """
    scores, lowest, highest = read_scores(raw)
    if scoring is Scoring.SOFTMAX:
        powers = np.exp(scores - np.float32(highest))  # never overflows: the largest power is 1
        scores = np.asarray(powers / np.sum(powers), np.float32)
    elif scoring is Scoring.PROBABILITIES and not are_probabilities(lowest, highest):
        raise RuntimeFailure(
            f"the model's scores are {lowest:.4g} to {highest:.4g}, in its self-test they were "
            "0 to 1: set output: softmax if they are logits, else output: none"
        )
    return tuple((index, float(scores[index])) for index in best(scores))


def read_scores(raw: npt.NDArray[np.generic]) -> tuple[Scores, float, float]:
    """Return an output as n float32 scores, the lowest and the highest of them.

    Raises RuntimeFailure as `top5`.
    """
    flat = raw.reshape(-1)
    if raw.dtype in (np.float32, np.float16):
        scores: Scores = flat.astype(np.float32, copy=False)
    elif raw.dtype == np.uint8:
        scores = flat.astype(np.float32) * np.float32(QUANTISED_STEP)
    elif raw.dtype == np.int8:
        scores = (flat.astype(np.float32) + np.float32(128)) * np.float32(QUANTISED_STEP)
    else:
        raise RuntimeFailure(f"the model returns {raw.dtype} scores; float32 or (u)int8 is needed")
    if scores.size == 0:
        raise RuntimeFailure("the model returned no scores")
    lowest, highest = float(scores.min()), float(scores.max())
    if not (math.isfinite(lowest) and math.isfinite(highest)):  # either is NaN if any score is
        raise RuntimeFailure("the model returned scores that are not finite numbers")
    return scores, lowest, highest


def are_probabilities(lowest: float, highest: float) -> bool:
    """Return whether all scores are from 0 to 1, but for what a float16 is rounded by."""
    return lowest >= 0.0 and highest <= 1.0 + ROUNDING


def best(scores: Scores) -> list[int]:
    """Return the indices of the five highest scores (fewer if there are fewer), best first."""
    left = scores.copy()
    found = []
    for _ in range(min(K, scores.size)):
        index = int(left.argmax())  # the first of equal ones
        found.append(index)
        left[index] = -np.inf
    return found
