"""Bytes to pixels, pixels to a model's input tensor; with the help of `jpeg` and `area`.

With the default input, stretched, the pixels are, bit for bit, those of the published examples of
go-rknnlite (https://github.com/swdee/go-rknnlite): OpenCV's colour `imread` (EXIF orientation
applied), resized with INTER_AREA to the model's input, as RGB.
"""

from __future__ import annotations

import os
import re
from functools import cache
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from workers.errors import ImageError
from workers.images import area, formats, headers, jpeg, png, sizes
from workers.images.file_reader import most_bytes, read
from workers.images.fit import ImageInfo, Placement, place
from workers.images.sizes import Size
from workers.protocol.messages import Encoded, FileRef, Pixels, Refused
from workers.protocol.spec import EXACT, FAST, FLOAT32, MAX_PIXELS_VARIABLE, NCHW, RGB, InputSpec

Image = npt.NDArray[np.uint8]
Tensor = npt.NDArray[Any]
Source = FileRef | Encoded | Pixels | Refused

OPENCV_LIMIT: Final = 1 << 30  # pixels, where no other limit is set
GREY: Final = (114, 114, 114)  # beside an image in a letterbox; detectors were trained with it

# What OpenCV, too, has taken from the environment when it was imported.
_limit = os.environ.get(MAX_PIXELS_VARIABLE, "")
MAX_PIXELS: Final = int(_limit) if _limit.isdecimal() else OPENCV_LIMIT
MAX_BYTES: Final = most_bytes(MAX_PIXELS)

# One process per runtime is how the farm uses many CPUs; OpenCV's threads would compete with it.
cv2.setNumThreads(1)
# OpenCV would print a line for each broken file; the item's error says it already.
if hasattr(cv2, "setLogLevel"):  # OpenCV 4
    cv2.setLogLevel(0)
else:
    cv2.utils.logging.setLogLevel(0)
# Workers are forked from a process that has imported this: it is compared with OpenCV once.
RESIZE: Final = area.choose()


def load(source: Source, spec: InputSpec, mode: str = EXACT) -> tuple[Tensor, ImageInfo]:
    """Turn one item into the model's input, shape (1, ...) as `spec` says; raise ImageError.

    With `mode` FAST a JPEG that is at least twice as large as it is in the input, both ways, comes
    out of its decoder at 1/2, 1/4 or 1/8 of its size.
    """
    path = None
    if isinstance(source, FileRef):
        path = os.fsdecode(os.path.join(source.folder, source.path))
    needed = (lambda size: place(size, spec).needed()) if mode == FAST else None
    try:
        image, size = pixels(source, needed)
        placement = place(size, spec)
        return prepare(image, placement, spec), placement.info(path)
    except (MemoryError, cv2.error) as error:
        if isinstance(error, cv2.error) and error.code != cv2.Error.StsNoMem:
            raise
        raise ImageError(
            "no_memory", "not enough memory for it; see max_pixels, size and decoders"
        ) from error


def pixels(source: Source, needed: jpeg.Needed | None = None) -> tuple[Image, Size]:
    """Return an item's pixels as height x width x 3 uint8, BGR, and its size, both upright.

    A JPEG's pixels may come smaller than it is if `needed` is given, but not below what that
    returns of its size. Raise ImageError.
    """
    match source:
        case FileRef(path, folder):
            return decode(read(os.path.join(folder, path), MAX_BYTES), needed)
        case Encoded(data):
            return decode(data, needed)
        case Pixels(data, height, width):
            if height < 1 or width < 1 or len(data) != height * width * 3:
                raise ImageError("bad_pixels", f"{len(data)} bytes are no {width}x{height} image")
            return np.frombuffer(data, np.uint8).reshape(height, width, 3), (width, height)
        case Refused(kind, message):
            raise ImageError(kind, message)


def decode(data: bytes, needed: jpeg.Needed | None = None) -> tuple[Image, Size]:
    """Decode an image file's bytes to upright BGR pixels, see `pixels`; raise ImageError."""
    if not data:
        raise ImageError("empty", "the file is empty")
    if data.startswith(headers.PNG_MAGIC):
        headers.check_end(data, headers.PNG_END)
    if not data.startswith(headers.JPEG_MAGIC):
        return _by_opencv(data)
    try:
        return jpeg.decode(data, MAX_PIXELS, needed)
    except jpeg.Refused as refused:
        if refused.damage:
            raise ImageError("damaged", refused.damage) from refused
        return _by_opencv(data)


def _by_opencv(data: bytes) -> tuple[Image, Size]:
    if (why := formats.misread(data)) is not None:
        raise ImageError("not_an_image", why)
    try:
        image = cv2.imdecode(np.frombuffer(png.default_picture(data), np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:
            raise
        if "CV_IO_MAX_IMAGE_" in str(error):
            raise _too_many_pixels(sizes.size(data), sizes.max_side(data)) from error
        reason = re.sub(r".*error: (\(.*?\) )?", "", str(error).strip(), flags=re.DOTALL)
        raise ImageError("not_an_image", f"OpenCV refuses it: {reason}") from error
    if image is None:
        size, max_side = sizes.size(data), sizes.max_side(data)
        if size and (max(size) > max_side or size[0] * size[1] > MAX_PIXELS):
            raise _too_many_pixels(size, max_side)
        raise ImageError("not_an_image", formats.describe(data))
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        found = f"{image.dtype} of {'x'.join(map(str, image.shape))}"
        raise ImageError("not_an_image", f"OpenCV reads it as {found}, not as pixels of 3 colours")
    return np.asarray(image, np.uint8), (image.shape[1], image.shape[0])


def _too_many_pixels(size: Size | None, max_side: int) -> ImageError:
    width, height = size or (0, 0)
    if width * height > MAX_PIXELS:
        why = f"{width}x{height} are {width * height} pixels; max_pixels allows {MAX_PIXELS}, "
        return ImageError("too_many_pixels", f"{why}raise it in the config to read this")
    found = f"{width}x{height} pixels" if size else "too many pixels"
    return ImageError(
        "too_many_pixels",
        f"{found}; OpenCV reads up to {max_side} in a row or a column, scale it down",
    )


def fill(image: Image, placement: Placement, spec: InputSpec) -> Image:
    """Return BGR pixels as those of the input: its size, its order of the channels."""
    left, top, width, height = placement.part_of((image.shape[1], image.shape[0]))
    # The resize by our library needs it in one piece, which costs less than that of OpenCV.
    part = np.ascontiguousarray(image[top : top + height, left : left + width])
    left, top, width, height = placement.target
    filled = RESIZE.to_rgb(part, width, height)
    if (width, height) != (spec.width, spec.height):
        right, bottom = spec.width - left - width, spec.height - top - height
        border = (top, bottom, left, right, cv2.BORDER_CONSTANT)
        filled = np.asarray(cv2.copyMakeBorder(filled, *border, value=GREY), np.uint8)
    if spec.color == RGB:
        return filled
    return np.asarray(cv2.cvtColor(filled, cv2.COLOR_RGB2BGR), np.uint8)


def prepare(image: Image, placement: Placement, spec: InputSpec) -> Tensor:
    """Resize BGR pixels and lay them out as the model takes them: one image, C-contiguous."""
    picture = fill(image, placement, spec)
    if spec.dtype != FLOAT32:
        tensor = np.stack(cv2.split(picture)) if spec.layout == NCHW else picture
        return tensor[np.newaxis]
    # Look values up: one pass over the pixels, where arithmetic on floats would take four.
    table = _lookup_table(spec.mean, spec.std)
    if spec.layout != NCHW:
        return np.asarray(cv2.LUT(picture, table))[np.newaxis]
    tensor = np.empty((1, *picture.shape[2:], *picture.shape[:2]), np.float32)
    for channel, values, out in zip(cv2.split(picture), cv2.split(table), tensor[0], strict=True):
        cv2.LUT(channel, values, dst=out)
    return tensor


@cache
def _lookup_table(mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    """Return (value - mean) / std of all values and channels, for cv2.LUT: 1 x 256 x 3 float32."""
    values = np.arange(256, dtype=np.float32).reshape(1, 256, 1)
    return (values - np.asarray(mean, np.float32)) / np.asarray(std, np.float32)
