"""What a simulated NPU answers: outputs of a classifier or a detector, made of a number alone."""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

SCATTER: Final = 2654435761  # Knuth's multiplicative hash: 2^32 over the golden ratio
OBJECTS: Final = 20  # rows of a detection, of which some have a score that nobody wants
PLACES: Final = 97  # rows to choose them from
GOLDEN: Final = 0.6180339887  # multiples of it, without their whole part, fill 0 to 1 evenly


class Invention(Protocol):
    """Outputs that depend on a key alone."""

    def of(self, key: int) -> npt.NDArray[np.float32]:
        """Return the output for a key, a number from 0 to 2^32."""


class Scores:
    """Probabilities: a ring of them blended with itself, a sure answer or a torn one."""

    def __init__(self, classes: int) -> None:
        self._classes = classes
        # They fall with the square of their rank: 61, 15, 7, 4 % ...
        powers = 1.0 / np.arange(1, classes + 1) ** 2.0
        # Not by numpy.random, whose import would take 2.5 MB in every worker.
        order = np.argsort(np.arange(classes, dtype=np.uint32) * np.uint32(SCATTER))
        shuffled = (powers / powers.sum())[order]
        # Twice in a row: any `classes` neighbours are a whole answer.
        self._ring = np.concatenate([shuffled, shuffled]).astype(np.float32)

    def of(self, key: int) -> npt.NDArray[np.float32]:
        """See Invention.of; the ring is turned by two places."""
        one, other = key % self._classes, key // self._classes % self._classes
        share = 0.5 + (key * SCATTER % 2**32) / 2**33  # 0.5 to 1
        scores = self._ring[one : one + self._classes] * share
        scores += self._ring[other : other + self._classes] * (1 - share)
        return scores


class Objects:
    """Boxes in an input of this size, end to end: 1 x OBJECTS x (x1, y1, x2, y2, score, class)."""

    def __init__(self, classes: int, width: int, height: int) -> None:
        number = np.arange(PLACES)
        share = np.outer(number + 1, np.arange(1, 6)) * GOLDEN % 1  # of five things, evenly
        sides = (0.1 + 0.3 * share[:, :2]) * (width, height)
        corners = share[:, 2:4] * ((width, height) - sides)
        rows = np.column_stack([corners, corners + sides, share[:, 4] ** 2, number % classes])
        self._ring = np.concatenate([rows, rows]).astype(np.float32)

    def of(self, key: int) -> npt.NDArray[np.float32]:
        """See Invention.of; neighbours in a ring of boxes."""
        first = key % PLACES
        return self._ring[np.newaxis, first : first + OBJECTS]
