"""A result's picture as a small JPEG."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from farm.pictures.reread import picture
from farm.results.result import Result

if TYPE_CHECKING:
    from workers.images.preprocess import Image
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
    found = picture(result, small)
    made = None if found is None else thumbnail(*found)
    return 0 if made is None else file.write_bytes(made)


def thumbnail(pixels: Image, size: Size) -> bytes | None:
    """Return pixels, BGR, of a picture of this size as a small JPEG; None if that can't be."""
    import cv2

    shrunk = cv2.resize(pixels, small(size), interpolation=cv2.INTER_AREA)
    encoded, data = cv2.imencode(".jpg", shrunk, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return data.tobytes() if encoded else None
