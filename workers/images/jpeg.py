"""JPEGs to pixels through simplejpeg, which does not pass over what libjpeg complains of.

OpenCV does: of a broken JPEG it gives the pixels all the same, grey or shifted from the damage on.
What both read without complaint has the same pixels, bit for bit.
"""

from __future__ import annotations

import re
from typing import Any, Final

import numpy.typing as npt
import simplejpeg

from workers.images import orientation as exif

Picture = npt.NDArray[Any]
Size = tuple[int, int]  # width, height

# Complaints that do not mean broken pixels. libjpeg's (jerror.h) about good files, too: some
# cameras pad ("N extraneous bytes before marker 0xd9"). And what simplejpeg is not made for, which
# is little: arithmetic coding, rare sampling factors (TurboJPEG's own words begin with tj).
NO_DAMAGE: Final = re.compile(
    r"extraneous bytes before|Invalid SOS parameters|Inconsistent progression|bad ICC marker"
    r"|unknown JFIF revision|Unknown Adobe color transform|not implemented|^tj"
)
NO_MEMORY: Final = "Insufficient memory"
SCALES: Final = (8, 4, 2)  # what the decoder can divide width and height by, and be faster


class Refused(Exception):
    """A JPEG that is left to OpenCV: its pixels or its words; `broken` if libjpeg says so."""

    def __init__(self, *, broken: bool) -> None:
        super().__init__()
        self.broken = broken


def decode(data: bytes, most: int, least: Size | None = None) -> Picture:
    """Decode a JPEG of up to `most` pixels to upright BGR; raises Refused or MemoryError.

    With `least`, width and height may come as a half, a 4th or an 8th of what they are, but no
    less than that.
    """
    try:
        return _decode(data, most, least)
    except RuntimeError as error:  # not even for a decoder
        raise MemoryError from error
    except ValueError as error:
        if NO_MEMORY in str(error):
            raise MemoryError from error
        raise Refused(broken=not NO_DAMAGE.search(str(error))) from error


def _decode(data: bytes, most: int, least: Size | None) -> Picture:
    height, width, _, _ = simplejpeg.decode_jpeg_header(data)
    if width * height > most:
        raise Refused(broken=False)
    orientation = exif.orientation(data)
    if orientation is None:
        raise Refused(broken=False)
    if least and orientation in exif.SIDEWAYS:
        least = least[::-1]
    scale = scale_for((width, height), least) if least else 1
    return exif.turned(_scaled(data, (width, height), scale), orientation)


def scale_for(size: Size, least: Size) -> int:
    """Give the largest of SCALES that leaves `size` at `least` or above; 1 if there is none."""
    room = min(side // low for side, low in zip(size, least, strict=True))
    return next((scale for scale in SCALES if scale <= room), 1)


def _scaled(data: bytes, size: Size, scale: int) -> Picture:
    width = height = 0  # no scaling
    if scale > 1:
        # It takes the smallest scale that gives no less, which is ours: libjpeg rounds up.
        width, height = (side // scale for side in size)
    picture: Picture = simplejpeg.decode_jpeg(data, "BGR", min_width=width, min_height=height)
    return picture
