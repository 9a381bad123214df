"""Pixels resized with INTER_AREA: by a library of our own where its bits are OpenCV's.

The library, area.c, takes a third of OpenCV's time or less. An installation has it if there was a C
compiler. It is used where OpenCV itself computes means of parts of pixels; all else is left to it.
"""

from __future__ import annotations

import ctypes
import struct
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from workers.shell import recompile

Image = npt.NDArray[np.uint8]

EPSILON: Final = sys.float_info.epsilon
LIBRARY: Final = Path(__file__).with_name("libarea.so")
NOT_COMPILED: Final = "npu-farm's C library is missing: there was no C compiler, or it failed"
OTHER_OPENCV: Final = "pip install --force-reinstall opencv-python-headless"
ELF_64: Final = b"\x7fELF\x02"
ELF_HEADER: Final = struct.Struct("=40xQ10xHH2x")  # e_shoff, e_shentsize, e_shnum
# Pictures to compare with, and their new sizes. The factors 6/5 and 10/3 make means that are, but
# for rounding errors, halfway between two values: nearly each way to round else shows in them.
PROOFS: Final = (
    ((132, 108), (110, 90)), ((140, 100), (42, 30)), ((301, 40), (7, 3)), ((97, 61), (41, 61)),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Resize:
    """What resizes pictures: our library's function; or OpenCV, if it is None.

    Then there is a reason, and a command for workers.shell that may change it.
    """

    function: Callable[..., int] | None = None
    reason: str = ""
    fix: str = ""

    def to_rgb(self, image: Image, width: int, height: int) -> Image:
        """Return BGR pixels of any size as RGB pixels of this one; raise MemoryError."""
        if self.function is None or not suits(image, width, height):
            return by_opencv(image, width, height)
        rgb = np.empty((height, width, 3), np.uint8)
        size = (image.shape[1], image.shape[0])
        if self.function(image.ctypes.data, *size, rgb.ctypes.data, width, height) != 0:
            raise MemoryError
        return rgb


def suits(image: npt.NDArray[Any], width: int, height: int) -> bool:
    """Return whether the library may be given this array, and OpenCV computes what it does.

    OpenCV enlarges in another way, and so it reduces by whole numbers.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        return False
    if not image.flags.c_contiguous or not (
        0 < width <= image.shape[1] and 0 < height <= image.shape[0]
    ):
        return False
    # In these steps, with its limit: a factor that is whole but for a rounding error is not.
    factors = (1 / (width / image.shape[1]), 1 / (height / image.shape[0]))
    return any(abs(factor - round(factor)) >= EPSILON for factor in factors)


def by_opencv(image: Image, width: int, height: int) -> Image:
    """Return BGR pixels as RGB pixels of this size."""
    # A channel swap commutes with a resize, and costs less on the smaller image.
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2RGB), np.uint8)


@cache
def choose(library: Path = LIBRARY) -> Resize:
    """Load the library and compare it with OpenCV: once in a process and in those it forks."""
    if not library.is_file():
        return Resize(reason=NOT_COMPILED, fix=recompile())
    if is_cut(library):
        return Resize(reason="npu-farm's library is cut off", fix=recompile())
    try:
        function = ctypes.CDLL(str(library)).npu_farm_area
    except (OSError, AttributeError) as error:  # of another machine, or none
        return Resize(reason=f"npu-farm's library can't be used: {error}", fix=recompile())
    address, size = ctypes.c_void_p, ctypes.c_size_t
    function.argtypes = (address, size, size, address, size, size)
    ours = Resize(function=function)
    for picture, to in proofs():
        if not np.array_equal(ours.to_rgb(picture, *to), by_opencv(picture, *to)):
            reason = f"npu-farm's library differs from this OpenCV, {cv2.__version__}"
            return Resize(reason=reason, fix=OTHER_OPENCV)
    return ours


def is_cut(library: Path) -> bool:
    """Return whether the end of a 64-bit ELF file is missing: to load one would end the process.

    Its table of sections is the last thing in it (elf(5)).
    """
    head = library.read_bytes()[: ELF_HEADER.size]
    if len(head) < ELF_HEADER.size or not head.startswith(ELF_64):
        return False
    begin, size, count = ELF_HEADER.unpack(head)
    return library.stat().st_size < int(begin + size * count)


def proofs() -> Iterator[tuple[Image, tuple[int, int]]]:
    """Yield pictures of random values, always the same, and the size to give each."""
    random = Random(0)  # noqa: S311 - numpy's would take long to import
    for (width, height), to in PROOFS:
        values = np.frombuffer(random.randbytes(3 * width * height), np.uint8)
        yield values.reshape(height, width, 3), to
