"""Pixels as a file of the kind that they came from: a JPEG of the same quality, or a PNG."""

from __future__ import annotations

import io
import os
from typing import Any, Final

import cv2
import numpy as np
from PIL import Image as Pillow
from PIL.JpegImagePlugin import JpegImageFile, get_sampling

from workers.images.headers import JPEG_MAGIC, PNG_MAGIC
from workers.images.preprocess import Image
from workers.images.sizes import big

JPEG_SUFFIXES: Final = (".jpg", ".jpeg", ".jpe", ".jfif")
PNG_SUFFIXES: Final = (".png",)
MOST_SIDE: Final = 65500  # pixels of a JPEG, by libjpeg
QUALITY: Final = 95  # of a JPEG whose own can't be told
AFTER_HEADER: Final = 33  # bytes of a PNG: its signature and its first chunk
GREY: Final = (b"\0", b"\4")  # the types of a PNG without colours


def suffixes(source: bytes) -> tuple[str, ...]:
    """Return the suffixes of what `encoded` makes of a file, the usual one first."""
    return JPEG_SUFFIXES if source.startswith(JPEG_MAGIC) else PNG_SUFFIXES


def encoded(image: Image, source: bytes) -> bytes:
    """Return pixels, BGR, as a JPEG if the file `source` is one, else as a PNG.

    It has the colour profile of a JPEG or PNG, and a JPEG's quality, but no EXIF data: the pixels
    are upright. Raises OSError if they are too many in a row or a column for a JPEG.
    """
    if source.startswith(JPEG_MAGIC):
        if max(image.shape[:2]) > MOST_SIDE:
            size = f"{image.shape[1]}x{image.shape[0]}"
            raise OSError(f"it would have {size} pixels; a JPEG has up to {MOST_SIDE} in a row")
        return _jpeg(image, settings(source))
    data = cv2.imencode(".png", image)[1].tobytes()
    return data[:AFTER_HEADER] + png_profile(source) + data[AFTER_HEADER:]


def settings(jpeg: bytes) -> dict[str, Any]:
    """Return what makes another JPEG like this one: for Pillow's `save`."""
    try:
        opened = JpegImageFile(io.BytesIO(jpeg))
    except (SyntaxError, OSError, ValueError):  # our decoder takes what Pillow does not
        return {"quality": QUALITY}
    found: dict[str, Any] = {"qtables": opened.quantization, "subsampling": get_sampling(opened)}
    profile = opened.info.get("icc_profile") or b""
    return found | ({"icc_profile": profile} if profile[16:20] == b"RGB " else {})


def _jpeg(image: Image, like: dict[str, Any]) -> bytes:
    # As Pillow holds pixels, so that it copies none; and into a descriptor it writes without
    # Python's lock: the other threads go on meanwhile.
    pixels = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGBA))
    picture = Pillow.frombuffer("RGBX", image.shape[1::-1], pixels, "raw", "RGBX", 0, 1)
    with open(os.memfd_create("jpeg"), "w+b") as file:
        picture.save(file, "JPEG", **like)
        file.seek(0)
        return file.read()


def png_profile(source: bytes) -> bytes:
    """Return the chunk of a PNG with its colour profile; b"" if it has none, or no colours."""
    if not source.startswith(PNG_MAGIC) or source[25:26] in GREY:
        return b""
    at = AFTER_HEADER
    while at < len(source) and (kind := source[at + 4 : at + 8]) != b"IDAT":
        end = at + 12 + big(source[at : at + 4])
        if kind == b"iCCP":
            return source[at:end]
        at = end
    return b""
