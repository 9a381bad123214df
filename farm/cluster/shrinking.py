"""Large images made smaller at the sender: all that decodes there."""

from __future__ import annotations

from typing import Final

import cv2

from workers.errors import ImageError
from workers.images import preprocess, sizes
from workers.images.sizes import Size
from workers.protocol.messages import Encoded

QUALITY: Final = 95  # of the JPEG that travels


def shrunk(data: bytes, longest: int) -> tuple[bytes, Size] | None:
    """Return an image upright, with no side longer than `longest` pixels, and its own size.

    None for one that is no larger, or whose size its header does not tell. Raises ImageError.
    """
    size = sizes.size(data)
    if size is None or max(size) <= longest:
        return None
    try:
        # Its decoder halves it as often as it can: that takes half the time.
        image, size = preprocess.pixels(Encoded(data), lambda size: target(size, longest))
        rgb = preprocess.RESIZE.to_rgb(image, *target(size, longest))
        bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
        small = cv2.imencode(".jpg", bgr, (cv2.IMWRITE_JPEG_QUALITY, QUALITY))[1]
    except (MemoryError, cv2.error) as error:
        raise ImageError("no_memory", "not enough memory here to make it smaller") from error
    return small.tobytes(), size


def target(size: Size, longest: int) -> Size:
    """Return the size of a copy that is as large as it may be, in the image's own shape."""
    ratio = longest / max(size)
    return max(1, round(size[0] * ratio)), max(1, round(size[1] * ratio))
