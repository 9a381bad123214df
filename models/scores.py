"""How often a model was right on images whose truth is known: one class each, or boxes."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from farm.sources.renders import CLASSES
from farm.sources.scenes import TRUTH
from workers.images import preprocess as image
from workers.protocol.messages import FileRef
from workers.protocol.spec import InputSpec
from workers.tasks.detect import decode

Tensor: TypeAlias = npt.NDArray[Any]
Model: TypeAlias = Callable[[Tensor], Sequence[Tensor]]
Ranks: TypeAlias = Sequence[int]  # classes, the most probable first

LEAST_SCORE: Final = 0.01  # precision is averaged over all scores, so hardly a box may be left out
IOU: Final = 0.6  # of two boxes of a class, above which the weaker one is dropped


class Measured(Protocol):
    """What a model reached, as a row of a table in README.md."""

    def row(self, name: str, reference: Any, size: int) -> str:
        """Return a row; `reference` is what float32 reached, `size` the file's in bytes."""

    def lost(self, reference: Any) -> float:
        """Return by how much it is below another, 0 to 1, of the first column's figure."""


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

    def lost(self, reference: Scored) -> float:
        """Return by how much top-1 is below another's."""
        return reference.top1 - self.top1

    def row(self, name: str, reference: Scored, size: int) -> str:
        """Return one line of a table in README.md; `size` is the model file's, in bytes."""
        return _row(name, (self.top1, self.top5, self.agreement(reference)), size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The average precision of a model's boxes, at most 100 on an image, as COCO computes it."""

    ap50: float
    """Where boxes with an IoU of 0.5 or more are right."""
    ap: float
    """Averaged over IoUs of 0.5 to 0.95."""

    @classmethod
    def judge(cls, boxes: Sequence[dict[str, Any]], truth: Path) -> Found:
        """Compare boxes as COCO's format has them with those of a file in that format."""
        if not boxes:  # of a network that has hardly been trained: pycocotools takes no empty list
            return cls(ap50=0.0, ap=0.0)
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval

        with redirect_stdout(sys.stderr):  # they print what they do
            known = COCO(str(truth))
            judged = COCOeval(known, known.loadRes(list(boxes)), "bbox")
            judged.evaluate()
            judged.accumulate()
            judged.summarize()
        return cls(ap50=float(judged.stats[1]), ap=float(judged.stats[0]))

    def lost(self, reference: Found) -> float:
        """Return by how much mAP50 is below another's."""
        return reference.ap50 - self.ap50

    def row(self, name: str, _reference: Found, size: int) -> str:
        """Return one line of a table in README.md; `size` is the model file's, in bytes."""
        return _row(name, (self.ap50, self.ap), size)


def _row(name: str, shares: Sequence[float], size: int) -> str:
    return f"| {' | '.join((name, *(f'{share:.2%}' for share in shares), f'{size:,}'))} |"


def score(model: Model, spec: InputSpec, paths: Sequence[Path]) -> Scored:
    """Run a classifier on files named `..._<truth>.jpg`."""
    answers = [top5(model, spec, path) for path in paths]
    return Scored.judge(answers, [CLASSES.index(path.stem[-1]) for path in paths])


def top5(model: Model, spec: InputSpec, path: Path) -> list[int]:
    """Run a classifier on a file, prepared as the farm prepares it."""
    tensor, _ = image.load(FileRef(os.fsencode(path)), spec)
    ranks: list[int] = np.argsort(-model(tensor)[0].ravel(), kind="stable")[:5].tolist()
    return ranks


def find(model: Model, spec: InputSpec, paths: Sequence[Path]) -> Found:
    """Run a detector on files beside the truth that `write_scenes` writes."""
    truth = paths[0].with_name(TRUTH)
    numbers = {each["file_name"]: each["id"] for each in json.loads(truth.read_text())["images"]}
    found = [
        {"image_id": numbers[path.name], "category_id": kind, "bbox": box, "score": score}
        for path in paths
        for box, kind, score in boxes(model, spec, path)
    ]
    return Found.judge(found, truth)


def boxes(model: Model, spec: InputSpec, path: Path) -> Iterator[tuple[list[float], int, float]]:
    """Yield a detector's boxes in a file, as x y width height, with their classes and scores."""
    tensor, info = image.load(FileRef(os.fsencode(path)), spec)
    size = spec.width, spec.height
    found, kinds, scores = decode(model(tensor), size, score=LEAST_SCORE, iou=IOU)
    sides = info.to_image(found)
    sides[:, 2:] -= sides[:, :2]
    yield from zip(sides.tolist(), kinds.tolist(), scores.tolist(), strict=True)
