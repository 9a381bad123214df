"""Raw model outputs to the five most probable classes."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from workers.errors import RuntimeFailure

K: Final = 5
# TFLite's quantisation specification fixes softmax outputs at scale 1/256; zero point 0 as
# uint8, -128 as int8. A model that hands out integers hands out these.
QUANTISED_STEP: Final = 1 / 256
ROUNDING: Final = 0.01

Scores = npt.NDArray[np.float32]


def top5(raw: npt.NDArray[np.generic]) -> tuple[tuple[int, float], ...]:
    """Rank one model output of n scores: up to five (class, probability), the best first.

    `raw` holds probabilities or logits as float32 or float16, or quantised probabilities as
    uint8 or int8, in any shape. Equal scores keep the order of their class numbers. Raises
    RuntimeFailure for other dtypes, and for scores that are not finite.
    """
    scores = probabilities(dequantised(raw))
    return tuple((int(index), float(scores[index])) for index in best(scores))


def dequantised(raw: npt.NDArray[np.generic]) -> Scores:
    """Flatten an output to n float32 scores; uint8 and int8 are probabilities in steps of 1/256."""
    flat = raw.reshape(-1)
    scores: Scores
    if raw.dtype in (np.float32, np.float16):
        scores = flat.astype(np.float32, copy=False)
    elif raw.dtype == np.uint8:
        scores = flat.astype(np.float32) * np.float32(QUANTISED_STEP)
    elif raw.dtype == np.int8:
        scores = (flat.astype(np.float32) + np.float32(128)) * np.float32(QUANTISED_STEP)
    else:
        raise RuntimeFailure(f"the model gives {raw.dtype} scores; it must be float32 or (u)int8")
    if scores.size == 0:
        raise RuntimeFailure("the model gave no scores")
    if not np.isfinite(scores).all():
        raise RuntimeFailure("the model gave scores that are not finite numbers")
    return scores


def probabilities(scores: Scores) -> Scores:
    """Give the scores as probabilities: unchanged if they are some already, else their softmax."""
    return scores if _are_probabilities(scores) else _softmax(scores)


def best(scores: Scores) -> npt.NDArray[np.intp]:
    """Give the indices of the five highest scores (fewer if there are fewer), best first."""
    if scores.size <= K:
        return np.argsort(-scores, kind="stable")
    # Sorting only what reaches the fifth place is several times cheaper than sorting all.
    fifth = np.partition(scores, scores.size - K)[scores.size - K]
    candidates = np.flatnonzero(scores >= fifth)
    return candidates[np.argsort(-scores[candidates], kind="stable")][:K]


def _are_probabilities(scores: Scores) -> bool:
    """Each from 0 to 1, and in sum 1, give or take what rounding each to 1/256 can add up to."""
    slack = ROUNDING + scores.size * QUANTISED_STEP / 2
    inside = np.min(scores) >= 0.0 and np.max(scores) <= 1.0 + ROUNDING
    return bool(inside and abs(float(scores.sum()) - 1.0) <= slack)


def _softmax(scores: Scores) -> Scores:
    powers = np.exp(scores - np.max(scores))  # never overflows: the largest power is 1
    return np.asarray(powers / np.sum(powers), np.float32)
