"""How often a model was right on images whose classes are known."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from workers.images import preprocess as image
from workers.protocol.messages import FileRef
from workers.protocol.spec import InputSpec

Tensor: TypeAlias = npt.NDArray[Any]
Model: TypeAlias = Callable[[Tensor], Sequence[Tensor]]
Ranks: TypeAlias = Sequence[int]  # classes, the most probable first


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """The class a model gave each image, and the shares that were right."""

    answers: tuple[int, ...]
    top1: float
    top5: float

    @classmethod
    def judge(cls, answers: Sequence[Ranks], truths: Sequence[int]) -> Scored:
        """Compare each image's five most probable classes with the right one."""
        pairs = list(zip(answers, truths, strict=True))
        return cls(
            answers=tuple(ranks[0] for ranks in answers),
            top1=float(np.mean([ranks[0] == truth for ranks, truth in pairs])),
            top5=float(np.mean([truth in ranks for ranks, truth in pairs])),
        )

    def agreement(self, other: Scored) -> float:
        """Return the share of images to which both give the same class."""
        return float(np.mean(np.equal(self.answers, other.answers)))

    def row(self, name: str, reference: Scored, size: int) -> str:
        """Return one line of a table in README.md; `size` is the model file's, in bytes."""
        shares = self.top1, self.top5, self.agreement(reference)
        return f"| {' | '.join((name, *(f'{share:.2%}' for share in shares), f'{size:,}'))} |"


def top5(model: Model, spec: InputSpec, path: Path) -> list[int]:
    """Run a model on a file, prepared as the farm prepares it."""
    scores = model(image.load(FileRef(os.fsencode(path)), spec)[0])[0].ravel()
    ranks: list[int] = np.argsort(-scores, kind="stable")[:5].tolist()
    return ranks
