"""Raw model outputs to the five most probable classes."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from workers.errors import RuntimeFailure

K: Final = 5
# TFLite's quantisation specification fixes softmax outputs at scale 1/256; zero point 0 as
# uint8, -128 as int8. A model with integer outputs has these.
QUANTISED_STEP: Final = 1 / 256
ROUNDING: Final = 0.01

Scores = npt.NDArray[np.float32]


def top5(raw: npt.NDArray[np.generic]) -> tuple[tuple[int, float], ...]:
    """Rank one model output of n scores: up to five (class, probability), the best first.

    `raw` holds probabilities or logits as float32 or float16, or quantized probabilities as
    uint8 or int8, in any shape. Equal scores keep the order of their class numbers. Raises
    RuntimeFailure for other dtypes, and for scores that are not finite.
    """
    scores = probabilities(raw)
    return tuple((index, float(scores[index])) for index in best(scores))


def probabilities(raw: npt.NDArray[np.generic]) -> Scores:
    """Return an output as n probabilities: unchanged if it holds some, else their softmax.

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
    if lowest >= 0.0 and highest <= 1.0 + ROUNDING:
        # Probabilities add up to 1, but for what rounding each to 1/256 can add up to.
        slack = ROUNDING + scores.size * QUANTISED_STEP / 2
        if abs(float(scores.sum()) - 1.0) <= slack:
            return scores
    powers = np.exp(scores - np.float32(highest))  # never overflows: the largest power is 1
    return np.asarray(powers / np.sum(powers), np.float32)


def best(scores: Scores) -> list[int]:
    """Return the indices of the five highest scores (fewer if there are fewer), best first."""
    left = scores.copy()
    found = []
    for _ in range(min(K, scores.size)):
        index = int(left.argmax())  # the first of equal ones
        found.append(index)
        left[index] = -np.inf
    return found
