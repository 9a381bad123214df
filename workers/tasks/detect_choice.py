"""Which family a model's outputs are read as: chosen once, or refused with the reason; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from workers.errors import RuntimeFailure
from workers.tasks.detect_families import ANCHORS, Reading, Shape, cells_of, readings
from workers.tasks.detect_options import AUTO, DetectOptions

SIDES: Final = "6 outputs, or 9 with sums of scores, of boxes ({} channels) and scores (n)"
FORMS: Final = {  # n is the number of classes
    "yolov5": "3 outputs of 3 x (5 + n) channels",
    "yolov7": "3 outputs of 3 x (5 + n) channels",
    "yolox": "3 outputs of 5 + n channels",
    "yolov6": SIDES.format("4 or 68"),
    "yolov8": SIDES.format(64),
    "yolo11": SIDES.format(64),
    "yolov10": SIDES.format(64),
    "raw_v5": "one output of 1 x {anchors} x (5 + n)",
    "raw_v8": "one output of 1 x (4 + n) x {cells}",
    "raw_yolox": "one output of 1 x {cells} x (5 + n)",
    "e2e": "one output of 1 x N x 6, N being the number of boxes",
}
ANY: Final = (
    "3, 6 or 9 outputs, as many for each of these grids, or one of 1 x (4 + n) x {cells}, "
    "1 x {anchors} x (5 + n), 1 x {cells} x (5 + n) or 1 x N x 6"
)


def resolve(shapes: Sequence[Shape], size: tuple[int, int], options: DetectOptions) -> Reading:
    """Return how to read outputs of these shapes, of an input of `size` (width, height in pixels).

    Raises RuntimeFailure if they fit no family, another than the named one, or several ones; and
    for anchors of a family that has none.
    """
    found = readings(shapes, size)
    told = [reading for reading in found if reading.told] or found
    fit = [reading for reading in found if reading.family == options.family]
    if options.family == AUTO:
        fit = told
    if not fit:
        raise RuntimeFailure(refusal(shapes, size, options.family, told))
    families = list(dict.fromkeys(reading.family for reading in fit))
    if len(families) > 1:
        raise RuntimeFailure(
            f"the model's outputs ({words(shapes)}) may be those of {' or of '.join(families)}: "
            f"say which, like family: {families[0]}"
        )
    if families[0] in ANCHORS:
        return replace(fit[0], anchors=options.anchors or ANCHORS[families[0]])
    if options.anchors is not None:
        raise RuntimeFailure(
            f"anchors: the model's outputs ({words(shapes)}) are those of {families[0]}, which "
            f"has none; only {' and '.join(ANCHORS)} have"
        )
    return fit[0]


def refusal(
    shapes: Sequence[Shape], size: tuple[int, int], family: str, told: Sequence[Reading]
) -> str:
    """Return why outputs of these shapes are not read, and what would be."""
    outputs = f"the model's outputs ({words(shapes)})"
    if len(shapes) == 1 and sum(length != 1 for length in shapes[0]) < 2:
        return f"{outputs} are a classifier's scores, no detector's: try --task classify"
    width, height = size
    grids = cells_of(size)
    cells = sum(grid.rows * grid.columns for grid in grids)
    form = FORMS.get(family, ANY).format(cells=cells or "CELLS", anchors=3 * cells or "3 CELLS")
    rows = ", ".join(f"{grid.rows}x{grid.columns}" for grid in grids)
    input_ = f"an input of {width}x{height}" + (
        f", whose grids are {rows} (rows x columns)" if grids else ", no multiple of 32"
    )
    said = f"expected for {input_}: {form}"
    if told:
        return f"{outputs} are those of {told[0].family}, not of {family}; {said}"
    if len(shapes) not in (1, 3, 6, 9):
        said += "; segmentation, poses and turned boxes are not read"
    return f"{outputs} fit no detector that is known; {said}"


def words(shapes: Sequence[Shape]) -> str:
    """Return shapes as text: `1x80x40x40, 1x80x20x20`."""
    return ", ".join("x".join(map(str, shape)) or "a number" for shape in shapes) or "none"
