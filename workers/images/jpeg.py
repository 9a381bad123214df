"""JPEGs to pixels through simplejpeg, which reports what libjpeg warns of.

OpenCV ignores it: of a broken JPEG it returns pixels, grey or shifted from the damage on. Where
both read a JPEG without a warning, the pixels are the same, bit for bit.
"""

from __future__ import annotations

import re
from typing import Any, Final

import numpy.typing as npt
import simplejpeg

from workers.images import orientation as exif

Picture = npt.NDArray[Any]
Size = tuple[int, int]  # width, height

# Warnings that do not mean broken pixels. libjpeg's (jerror.h) about good files: some cameras pad
# ("N extraneous bytes before marker 0xd9"). And what simplejpeg does not support, which is little:
# arithmetic coding, rare sampling factors (TurboJPEG's own messages begin with tj).
NO_DAMAGE: Final = re.compile(
    r"extraneous bytes before|Invalid SOS parameters|Inconsistent progression|bad ICC marker"
    r"|unknown JFIF revision|Unknown Adobe color transform|not implemented|^tj"
)
NO_MEMORY: Final = "Insufficient memory"
SCALES: Final = (8, 4, 2)  # what the decoder can divide width and height by; it is faster then


class Refused(Exception):
    """A JPEG that is left to OpenCV, for its pixels or its error; `broken` if libjpeg says so."""

    def __init__(self, *, broken: bool) -> None:
        super().__init__()
        self.broken = broken


def decode(data: bytes, max_pixels: int, min_size: Size | None = None) -> Picture:
    """Decode a JPEG of up to `max_pixels` pixels to upright BGR; raise Refused or MemoryError.

    With `min_size`, width and height may come as a half, a 4th or an 8th of what they are, but not
    below `min_size`.
    """
    try:
        height, width, _, _ = simplejpeg.decode_jpeg_header(data)
        orientation = exif.orientation(data) if width * height <= max_pixels else None
        if orientation is None:
            raise Refused(broken=False)
        if min_size and orientation in exif.SIDEWAYS:
            min_size = min_size[::-1]
        scale = scale_for((width, height), min_size) if min_size else 1
        # It takes the smallest scale that is no less, which is ours: libjpeg rounds up.
        picture: Picture = simplejpeg.decode_jpeg(
            data,
            "BGR",
            min_width=width // scale if scale > 1 else 0,  # 0: no scaling
            min_height=height // scale if scale > 1 else 0,
        )
    except RuntimeError as error:  # not enough memory even for a decoder
        raise MemoryError from error
    except ValueError as error:
        if NO_MEMORY in str(error):
            raise MemoryError from error
        raise Refused(broken=not NO_DAMAGE.search(str(error))) from error
    return exif.turned(picture, orientation)


def scale_for(size: Size, min_size: Size) -> int:
    """Return the largest of SCALES that leaves `size` no smaller than `min_size`; else 1."""
    room = min(side // low for side, low in zip(size, min_size, strict=True))
    return next((scale for scale in SCALES if scale <= room), 1)
