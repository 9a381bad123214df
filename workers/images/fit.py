"""Where an image goes in a model's input, and boxes of the input back to the image; pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workers.images.sizes import Size
from workers.protocol.spec import CROP, LETTERBOX, InputSpec

Box = tuple[int, int, int, int]  # left, top, width, height


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """How large an upright image is, and where it is in the model's input; all in pixels.

    Its point (x, y) is at (x * scale[0] + padding[0], y * scale[1] + padding[1]) of the input.
    `padding` is negative where edges are cut off. `path` is None if the image was no file.
    """

    width: int
    height: int
    scale: tuple[float, float]
    padding: tuple[float, float]
    path: str | None = None

    def to_image(self, boxes: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return boxes in the input (N x 4: x1, y1, x2, y2) as boxes in the image, cut to it."""
        points = (np.reshape(boxes, (-1, 2, 2)) - np.array(self.padding)) / np.array(self.scale)
        clipped: npt.NDArray[np.float64] = np.clip(points, 0, (self.width, self.height))
        return clipped.reshape(-1, 4)


@dataclass(frozen=True, slots=True)
class Placement:
    """Which part of an upright image of this size fills which target in the input."""

    size: Size
    part: Box
    target: Box

    def needed(self) -> Size:
        """Return how small a copy of the image may be: its part is no smaller than the target."""
        width, height = self.size
        return (
            -(-width * self.target[2] // self.part[2]),
            -(-height * self.target[3] // self.part[3]),
        )

    def part_of(self, copy: Size) -> Box:
        """Return the part in a copy of the image, of a size as `needed` or larger."""
        (left, top, width, height), (x, y) = self.part, self.size
        # Its edges are rounded, not its size: so each is half a pixel of the copy away at most.
        across = [round(edge * copy[0] / x) for edge in (left, left + width)]
        down = [round(edge * copy[1] / y) for edge in (top, top + height)]
        return across[0], down[0], across[1] - across[0], down[1] - down[0]

    def info(self, path: str | None) -> ImageInfo:
        """Return the same as scale and padding."""
        (left, top, part_width, part_height), (x, y, width, height) = self.part, self.target
        scale = width / part_width, height / part_height
        return ImageInfo(*self.size, scale, (x - left * scale[0], y - top * scale[1]), path)


def place(size: Size, spec: InputSpec) -> Placement:
    """Decide how an upright image of this size is put into the input, as `spec.fit` says."""
    (width, height), whole, full = size, (0, 0, *size), (0, 0, spec.width, spec.height)
    if spec.fit == LETTERBOX:
        ratio = min(spec.height / height, spec.width / width)
        inner = max(1, round(width * ratio)), max(1, round(height * ratio))
        # What ultralytics' LetterBox writes as round(padding / 2 - 0.1) is the half, rounded down.
        return Placement(size, whole, (*middle((spec.width, spec.height), inner), *inner))
    if spec.fit == CROP:
        ratio = min(width / spec.width, height / spec.height)
        inner = max(1, round(spec.width * ratio)), max(1, round(spec.height * ratio))
        return Placement(size, (*middle(size, inner), *inner), full)
    return Placement(size, whole, full)


def middle(outer: Size, inner: Size) -> tuple[int, int]:
    """Return left and top of a rectangle that is centred in a larger one."""
    return (outer[0] - inner[0]) // 2, (outer[1] - inner[1]) // 2
