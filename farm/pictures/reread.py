"""A result's picture once more, as its worker has read it."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

from farm.results.result import Result
from workers.environment import forget_opencv_variables, limit_library_threads
from workers.errors import ImageError
from workers.protocol.messages import FileRef
from workers.protocol.spec import MAX_PIXELS_VARIABLE

if TYPE_CHECKING:  # what shows no pictures loads nothing for them
    from workers.images.jpeg import Needed
    from workers.images.preprocess import Image
    from workers.images.sizes import Size

NEVER_AGAIN: Final = frozenset({"worker_died", "no_memory"})  # it would be this process's turn


def prepare(max_pixels: int) -> None:
    """Have pictures read as the workers of a farm read them; once, before the first one is."""
    forget_opencv_variables()
    limit_library_threads()
    os.environ[MAX_PIXELS_VARIABLE] = str(max_pixels)


def picture(result: Result, needed: Needed | None = None) -> tuple[Image, Size] | None:
    """Return a file's pixels, BGR, and its size (width, height), both upright.

    None if they can't be read or have changed since, or its error forbids it. The pixels of a JPEG
    may come smaller than it is if `needed` is given, but not below what that returns of its size.
    """
    import cv2

    from workers.images.preprocess import pixels

    if result.path is None or (result.error is not None and result.error.kind in NEVER_AGAIN):
        return None
    try:
        found = pixels(FileRef(os.fsencode(result.path)), needed)
        return None if is_changed(result, result.path, found[1]) else found
    except (ImageError, OSError, MemoryError, UnicodeEncodeError, cv2.error):
        return None


def is_changed(result: Result, path: str, size: Size) -> bool:
    """Return whether a file, of `size` by now, is another one than a result's worker has read.

    To be asked once it was read again. Raises OSError.
    """
    if result.size not in {None, size}:
        return True
    if result.read_at is None:
        return False
    # The kernel sets it, or a server by its own clock, or a camera by a wrong one: a time that is
    # still to come says nothing. A link may lead elsewhere now.
    changed = max(os.lstat(path).st_ctime, os.stat(path).st_ctime)
    return result.read_at < changed <= time.time()
