"""Files and bytes to pixels, pixels to a model's input tensor; the only file that decodes images.

With the default input the pixels are, bit for bit, those of the field's published examples:
OpenCV's colour `imread` (EXIF orientation applied), resized with INTER_AREA to the model's
input, as RGB.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from workers.errors import ImageError
from workers.spec import FLOAT32, NCHW, InputSpec
from workers.wire import Encoded, FileRef, Pixels

Image = npt.NDArray[np.uint8]
Tensor = npt.NDArray[Any]

JPEG_MAGIC: Final = b"\xff\xd8\xff"
JPEG_END: Final = b"\xff\xd9"
PNG_MAGIC: Final = b"\x89PNG\r\n\x1a\n"
PNG_END: Final = b"IEND\xaeB`\x82"
SCAN: Final = 0xDA  # start of scan: the compressed pixels begin
BARE: Final = frozenset({0x01, *range(0xD0, 0xD9)})  # JPEG markers without a length (T.81, B.1.1.3)

# A process per runtime is the farm's way to use many CPUs; OpenCV's own threads would only fight.
cv2.setNumThreads(1)
# OpenCV would print a line for each broken file; the item's error says it already.
if hasattr(cv2, "setLogLevel"):  # OpenCV 4
    cv2.setLogLevel(0)
else:
    cv2.utils.logging.setLogLevel(0)


def load(source: FileRef | Encoded | Pixels, spec: InputSpec) -> Tensor:
    """Turn one item into the model's input, shape (1, ...) as `spec` says; raises ImageError."""
    return prepare(pixels(source), spec)


def pixels(source: FileRef | Encoded | Pixels) -> Image:
    """Give an item's pixels as height x width x 3 uint8, BGR, upright; raises ImageError."""
    match source:
        case FileRef(path):
            return decode(read(path))
        case Encoded(data):
            return decode(data)
        case Pixels(data, height, width):
            if height < 1 or width < 1 or len(data) != height * width * 3:
                raise ImageError("bad_pixels", f"{len(data)} bytes are no {width}x{height} image")
            return np.frombuffer(data, np.uint8).reshape(height, width, 3)


def read(path: bytes) -> bytes:
    """Read an image file whole; raises ImageError if it is missing, barred, empty or no file."""
    try:
        # O_NONBLOCK: opening a FIFO that nobody writes to would block for ever.
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise _unreadable(error) from error
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise ImageError("not_a_file", "not a regular file")
        with open(fd, "rb", buffering=0, closefd=False) as file:
            return file.read()
    except OSError as error:
        raise _unreadable(error) from error
    finally:
        os.close(fd)


def decode(data: bytes) -> Image:
    """Decode an image file's bytes to upright BGR pixels; raises ImageError."""
    if not data:
        raise ImageError("empty", "the file is empty")
    if _is_cut(data):
        # OpenCV would fill the missing part with grey and say nothing: a wrong result.
        raise ImageError("truncated", "the image is cut short; copy it again from its source")
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise ImageError("not_an_image", f"OpenCV refuses it: {_last_line(error)}") from error
    if image is None:
        raise ImageError("not_an_image", "not an image that OpenCV can read")
    return image.astype(np.uint8, copy=False)


def prepare(image: Image, spec: InputSpec) -> Tensor:
    """Resize BGR pixels and lay them out as the model takes them: RGB, one image, C-contiguous."""
    # A channel swap commutes with a resize, and costs less on the smaller image.
    small = cv2.resize(image, (spec.width, spec.height), interpolation=cv2.INTER_AREA)
    tensor: Tensor = cv2.cvtColor(small, cv2.COLOR_BGR2RGB)
    if spec.dtype == FLOAT32:
        tensor = _scaled(tensor, spec)
    if spec.layout == NCHW:
        tensor = np.ascontiguousarray(tensor.transpose(2, 0, 1))
    return tensor[np.newaxis]


def _scaled(rgb: Tensor, spec: InputSpec) -> Tensor:
    values = rgb.astype(np.float32)
    if any(spec.mean):
        values -= np.asarray(spec.mean, np.float32)
    if any(part != 1.0 for part in spec.std):
        values /= np.asarray(spec.std, np.float32)
    return values


def _is_cut(data: bytes) -> bool:
    if data.startswith(JPEG_MAGIC):
        return not data.endswith(JPEG_END) and data.find(JPEG_END, _first_scan(data)) < 0
    if data.startswith(PNG_MAGIC):
        return PNG_END not in data[-64:] and PNG_END not in data
    return False


def _first_scan(data: bytes) -> int:
    """Where a JPEG's compressed pixels begin, past any thumbnail with an end marker of its own."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == SCAN:
            return at
        if marker == 0xFF:  # fill byte
            at += 1
        else:
            at += 2 if marker in BARE else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return len(data)


_WORDS: Final = {
    errno.ENOENT: ("missing", "no such file"),
    errno.ENOTDIR: ("missing", "no such file"),
    errno.EACCES: ("unreadable", "no permission to read it; see `ls -l`"),
    errno.EISDIR: ("not_a_file", "not a regular file"),
    errno.ENXIO: ("not_a_file", "not a regular file"),
    errno.ELOOP: ("unreadable", "a symbolic link that leads back to itself"),
}


def _unreadable(error: OSError | ValueError) -> ImageError:
    code = error.errno if isinstance(error, OSError) else None
    kind, message = _WORDS.get(code or 0, ("unreadable", f"can't be read: {error}"))
    return ImageError(kind, message)


def _last_line(error: Exception) -> str:
    return str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
