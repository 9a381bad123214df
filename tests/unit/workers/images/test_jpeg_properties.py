"""Spoilt JPEGs: OpenCV's pixels or a named error, whatever the bytes."""

from __future__ import annotations

import re

import cv2
import numpy as np
import numpy.typing as npt
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tests.helpers.odd_images import CMYK, JPEG_END, encoded, picture, turned_jpeg
from tests.helpers.pixels import pixels
from workers.errors import ImageError
from workers.protocol.messages import Encoded

SMALL = 24, 16
WHOLE = (
    encoded(".jpg", picture(*SMALL)),
    encoded(".jpg", picture(*SMALL, channels=1)),
    cv2.imencode(".jpg", picture(*SMALL), [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes(),
    cv2.imencode(".jpg", picture(*SMALL), [cv2.IMWRITE_JPEG_RST_INTERVAL, 1])[1].tobytes(),
    turned_jpeg(),
    CMYK,
)
FRAME = re.compile(rb"(?=\xff[\xc0-\xcf]...(..)(..))", re.DOTALL)  # a header: height, width
KINDS = {"damaged", "not_an_image", "truncated", "empty", "too_complex", "too_many_pixels"}
changes = st.tuples(
    st.integers(0, 3000),  # where, modulo the length
    st.integers(0, 4),  # how many bytes are replaced
    st.binary(max_size=4) | st.sampled_from([JPEG_END, b"\xff\xd0", b"\xff\xda", b"\xff\xc0"]),
)


def says_large(data: bytes) -> bool:
    """Whether the tests' machine would have to decode millions of pixels."""
    sides = [[int.from_bytes(side, "big") for side in frame] for frame in FRAME.findall(data)]
    return any(height * width > 1_000_000 for height, width in sides)


def decoded(data: bytes, least: tuple[int, int] | None) -> npt.NDArray[np.uint8] | str:
    try:
        return pixels(Encoded(data), least)
    except ImageError as error:
        return error.kind


def scaled_sizes(size: tuple[int, ...]) -> list[tuple[int, ...]]:
    """What libjpeg's own scaling can make of a picture; it rounds up."""
    return [tuple(-(-side // scale) for side in size) for scale in (2, 4, 8)]


@settings(max_examples=500)
@given(st.sampled_from(WHOLE), st.lists(changes, max_size=3), st.booleans())
@example(turned_jpeg(), [(6, 4, bytes(4))], True)  # not turned any more: can be halved
def test_a_spoilt_jpeg_gives_opencvs_pixels_or_an_error(
    whole: bytes, spoilt: list[tuple[int, int, bytes]], fast: bool
) -> None:
    data = whole
    for where, length, put in spoilt:
        at = where % len(data) if data else 0
        data = data[:at] + put + data[at + length :]
    assume(not says_large(data))
    found = decoded(data, SMALL if fast else None)
    if isinstance(found, str):
        assert found in KINDS
        return
    expected = np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR))
    if fast and found.shape != expected.shape:  # scaled, for which OpenCV has no equal
        width, height = found.shape[1::-1]
        assert (width, height) in scaled_sizes(expected.shape[1::-1])
        assert width >= SMALL[0]
        assert height >= SMALL[1]
    else:
        assert np.array_equal(found, expected)
