"""Which way up a JPEG is, by its EXIF data as OpenCV understands them.

OpenCV decides: the EXIF data are put into a picture of 16x8 pixels, and the way that it comes out
is the way to turn the JPEG. So broken EXIF data, some of which OpenCV accepts and some not, mean
the same here as in `cv2.imread`, whichever its version.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from workers.images import headers

Picture = npt.NDArray[Any]

UPRIGHT: Final = 1
# The EXIF standard's numbers (CIPA DC-008, tag 0x0112): from 5 on the picture lies on its side.
SIDEWAYS: Final = range(5, 9)
ORIENTATIONS: Final = range(UPRIGHT, 9)
FLIPS: Final = (None, 1, -1, 0)  # left and right, both, up and down; after the transposition


def orientation(data: bytes, header: list[headers.Segment]) -> int | None:
    """Return one of ORIENTATIONS, for `turned`; None for a JPEG that OpenCV can't read.

    `header` are its headers.segments.
    """
    # EXIF and XMP segments, whole.
    found = [data[at:end] for marker, at, end in header if marker == headers.APP1]
    if not found:
        return UPRIGHT
    probe, pictures = _probe()
    image = np.frombuffer(b"".join([probe[:2], *found, probe[2:]]), np.uint8)
    upright = np.asarray(cv2.imdecode(image, cv2.IMREAD_COLOR))
    return next((n for n, picture in pictures.items() if np.array_equal(picture, upright)), None)


def turned(picture: Picture, orientation: int) -> Picture:
    """Return a picture turned upright."""
    if orientation in SIDEWAYS:
        picture = cv2.transpose(picture)
    flip = FLIPS[(orientation - UPRIGHT) % len(FLIPS)]
    return picture if flip is None else cv2.flip(picture, flip)


@cache
def _probe() -> tuple[bytes, dict[int, Picture]]:
    """Return a small JPEG and the picture that each orientation makes of it, no two the same."""
    data = cv2.imencode(".jpg", np.arange(0, 256, 2).astype(np.uint8).reshape(8, 16))[1]
    plain = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))
    return data.tobytes(), {number: turned(plain, number) for number in ORIENTATIONS}
