"""What a task is: it makes an answer of a network's outputs, in the worker, after the inference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy.typing as npt

from workers.images.fit import ImageInfo
from workers.protocol.messages import Detected, ItemError, Output, Ranked

Outputs: TypeAlias = tuple[npt.NDArray[Any], ...]
Answer: TypeAlias = Ranked | Detected | Output


@dataclass(frozen=True, slots=True)
class Model:
    """A model, as a task sees it when it is made.

    `outputs` are those of the self-test's image, in the model's shapes, some of which it may leave
    open; `width` and `height` are its input's, in pixels.
    """

    path: str
    outputs: Outputs
    width: int
    height: int

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """The outputs' shapes."""
        return tuple(output.shape for output in self.outputs)


class Task(Protocol):
    """Made once in each worker, and used by one thread.

    `classes` is how many classes its answers choose from; 0 if it does not know. `reading` says how
    it reads the outputs: the workers of a farm must agree on it.
    """

    classes: int
    reading: str

    def answer(self, images: Sequence[tuple[Outputs, ImageInfo]]) -> list[Answer | ItemError]:
        """Return an answer for each image, or why there is none."""


MakeTask: TypeAlias = Callable[[Model], Task]  # raises RuntimeFailure for a model that won't do
