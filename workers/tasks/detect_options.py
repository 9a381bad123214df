"""What a user can set of a detection, checked; no numpy here, as a config's check needs it, too."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from reprlib import repr as short
from typing import Annotated, Final, Literal, get_args

import msgspec

from workers.errors import RuntimeFailure

Family = Literal[
    "auto",
    "yolov5",
    "yolov6",
    "yolov7",
    "yolov8",
    "yolov10",
    "yolo11",
    "yolox",
    "raw_v5",
    "raw_v8",
    "raw_yolox",
    "e2e",
]
AUTO: Final = "auto"
FAMILIES: Final[tuple[str, ...]] = get_args(Family)

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Pixels = Annotated[float, msgspec.Meta(gt=0, le=10_000)]
Pair = tuple[Pixels, Pixels]
Triple = tuple[Pair, Pair, Pair]
Anchors = tuple[Triple, Triple, Triple]
ClassNumber = Annotated[int, msgspec.Meta(ge=0)]
ClassName = Annotated[str, msgspec.Meta(min_length=1)]

TAKES: Final = {
    "family": ", ".join(FAMILIES[:-1]) + f" or {FAMILIES[-1]}",
    "score": "a number from 0 to 1",
    "iou": "a number from 0 to 1",
    "limit": "a whole number from 1 to 1000",
    "anchors": "three lists, of the strides 8, 16 and 32, of three pairs each: width and height "
    "in pixels of the model's input, like [[[10, 13], [16, 30], [33, 23]], ...]",
    "classes": "a list of class numbers or names, like [0, bus]",
}


class DetectOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is made of a detector's outputs.

    `family` says how they are read; `auto` tells it from their shapes. Boxes below `score` (0 to 1)
    are left out, then of two boxes of a class that overlap by more than `iou` (0 to 1) the one with
    the lower score, then all but the best `limit` (1 to 1000). `anchors` are a yolov5's or
    yolov7's, of strides 8, 16 and 32, in pixels of the input; None for those of the published
    models. Of `classes` boxes are kept; None for all.
    """

    family: Family = "auto"
    score: Share = 0.25
    iou: Share = 0.45
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 300
    anchors: Anchors | None = None
    classes: Annotated[tuple[ClassNumber | ClassName, ...], msgspec.Meta(min_length=1)] | None = (
        None
    )


def parse(options: Mapping[str, object]) -> DetectOptions:
    """Return options as a config or a program has them; raise RuntimeFailure for invalid ones."""
    for name, value in options.items():
        if name not in TAKES:
            known = f"known options: {', '.join(TAKES)}"
            raise RuntimeFailure(f"{short(name)}: unknown option; {_meant(name, TAKES) or known}")
        try:
            msgspec.convert({name: value}, DetectOptions)
        except msgspec.ValidationError as error:
            near = _meant(value, FAMILIES) if name == "family" else ""
            said = f"{name}: {short(value)}: use {TAKES[name]}"
            raise RuntimeFailure(f"{said}; {near}" if near else said) from error
    return msgspec.convert(dict(options), DetectOptions)


def _meant(word: object, known: Mapping[str, str] | tuple[str, ...]) -> str:
    near = get_close_matches(str(word).lower(), known, n=1)
    return f"did you mean {near[0]}?" if near else ""
