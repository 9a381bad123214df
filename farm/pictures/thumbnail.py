"""A result's picture as a small JPEG."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from farm.pictures.reread import picture
from farm.results.result import Result

if TYPE_CHECKING:
    from workers.images.sizes import Size

SIDE: Final = 256  # pixels, the longer one
QUALITY: Final = 82


def small(size: Size) -> Size:
    """Return the width and height of a thumbnail of a picture of this size."""
    most = max(size)
    if most <= SIDE:
        return size
    return max(1, round(size[0] * SIDE / most)), max(1, round(size[1] * SIDE / most))


def write_thumbnail(result: Result, file: Path) -> int:
    """Write a result's picture to `file`; return its bytes, 0 if it has none and none is written.

    Raises OSError where it can't be written.
    """
    import cv2

    found = picture(result, small)
    if found is None:
        return 0
    pixels, size = found
    shrunk = cv2.resize(pixels, small(size), interpolation=cv2.INTER_AREA)
    encoded, data = cv2.imencode(".jpg", shrunk, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not encoded:
        return 0
    return file.write_bytes(data.tobytes())
