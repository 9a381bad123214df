"""JPEGs to pixels through simplejpeg, which reports what libjpeg warns of.

OpenCV ignores it: of a broken JPEG it returns pixels, grey or shifted from the damage on. Where
both read a JPEG without a warning, the pixels are the same, bit for bit.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

import numpy.typing as npt
import simplejpeg

from workers.images import headers
from workers.images import orientation as exif
from workers.images.sizes import Size

Picture = npt.NDArray[Any]
Needed = Callable[[Size], Size]  # of an upright image of this size, how small a copy may be

# What libjpeg (jerror.h) complains of in the headers of good files, too.
ODDITY: Final = re.compile(
    r"extraneous bytes before|Invalid SOS parameters|bad ICC marker|unknown JFIF revision"
    r"|Unknown Adobe color transform"
)
PADDED: Final = re.compile(r"(\d+) extraneous bytes before marker 0xd9")  # some cameras do that
# By simplejpeg, which is little: rare sampling factors, what its libjpeg was built without, and
# what no libjpeg reads (TurboJPEG's own messages begin with tj).
UNSUPPORTED: Final = re.compile(r"not implemented|Unsupported JPEG|omitted|^tj")
LINE_ENDS: Final = "its line ends were changed (LF to CR LF); copy it again, not in text mode"
NO_MEMORY: Final = "Insufficient memory"
# libjpeg goes over the whole image for every scan, which may take a few bytes of a file. It writes
# 18 at most (jcparam.c), mozjpeg chooses from 64; libtiff and GDAL, too, stop at 100.
MAX_SCANS: Final = 100
SCANS_AT_MAX_PIXELS: Final = 20  # a few seconds at 100 million pixels
SCALES: Final = (8, 4, 2)  # what the decoder can divide width and height by; it is faster then


class Refused(Exception):
    """A JPEG that is left to OpenCV, for its pixels or an error; `damage` is a sentence, if any."""

    def __init__(self, damage: str | None) -> None:
        super().__init__()
        self.damage = damage


def decode(data: bytes, max_pixels: int, needed: Needed | None = None) -> tuple[Picture, Size]:
    """Decode a JPEG of up to `max_pixels` pixels to upright BGR; return its upright size, too.

    With `needed`, width and height may come as a half, a 4th or an 8th of what they are, but not
    below what it returns for them. Raise Refused, MemoryError, or ImageError if the end is missing
    or there are too many scans or segments.
    """
    header = list(headers.segments(data))
    headers.check_jpeg_end(data, header)
    width, height = headers.jpeg_size(data, header) or (0, 0)
    if not 0 < width * height <= max_pixels:
        raise Refused(LINE_ENDS if headers.has_changed_line_ends(data) else None)
    most_scans = min(MAX_SCANS, SCANS_AT_MAX_PIXELS * max_pixels // (width * height))
    headers.check_scans(data, header, most_scans)
    orientation = exif.orientation(data, header)
    if orientation is None:
        raise Refused(None)
    size = (height, width) if orientation in exif.SIDEWAYS else (width, height)
    scale = scale_for(size, needed(size)) if needed else 1
    try:
        # It takes the smallest scale that is no less, which is ours: libjpeg rounds up.
        picture: Picture = simplejpeg.decode_jpeg(
            data,
            "BGR",
            min_width=width // scale if scale > 1 else 0,  # 0: no scaling
            min_height=height // scale if scale > 1 else 0,
        )
        return exif.turned(picture, orientation), size
    except RuntimeError as error:  # not enough memory even for a decoder
        raise MemoryError from error
    except ValueError as error:
        complaint = str(error)
    raise Refused(damage(data, complaint))


def damage(data: bytes, complaint: str) -> str | None:
    """Return what is broken in a JPEG, by libjpeg's first complaint; None if no pixels are.

    libjpeg does not report a second one. So where the first is harmless, a copy without its cause
    is judged.
    """
    if NO_MEMORY in complaint:
        raise MemoryError
    if headers.has_changed_line_ends(data):
        return LINE_ENDS
    padded = PADDED.search(complaint)
    if UNSUPPORTED.search(complaint) or (padded and headers.is_padded(data, int(padded[1]))):
        return None
    plain = headers.without_oddities(data)
    if plain == data or not ODDITY.search(complaint):
        return "part of the JPEG is broken; copy it again from its source"
    try:
        simplejpeg.decode_jpeg(plain, "BGR", min_width=1, min_height=1)  # at 1/8: faster
    except RuntimeError as error:
        raise MemoryError from error
    except ValueError as error:
        complaint = str(error)
    else:
        return None
    return damage(plain, complaint)


def scale_for(size: Size, min_size: Size) -> int:
    """Return the largest of SCALES that leaves `size` no smaller than `min_size`; else 1."""
    room = min(side // low for side, low in zip(size, min_size, strict=True))
    return next((scale for scale in SCALES if scale <= room), 1)
