"""Animated PNGs are the still picture that cv2.imread returns, the same each time."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers.odd_images import (
    BLUE,
    NO_ROWS,
    PNG_START,
    animated_png,
    encoded,
    picture,
    png_chunk,
    with_few_rows,
)
from tests.helpers.pixels import decode
from workers.errors import ImageError
from workers.images.png import default_picture

PLAIN = encoded(".png", picture())
OTHER = picture()[::-1]
AFTER_HEADER = 33  # where the chunk behind IHDR begins


def kind_of(data: bytes) -> str:
    with pytest.raises(ImageError) as caught:
        decode(data)
    return caught.value.kind


ANIMATIONS = {
    "its first frame is the default picture": animated_png(picture(), BLUE, shown=True),
    "its default picture is no frame": animated_png(picture(), BLUE, OTHER),
    "one frame": animated_png(picture(), BLUE),
    "frames that crash OpenCV": animated_png(picture(), NO_ROWS, NO_ROWS),
    "a frame that is broken": animated_png(picture(), b"rubbish", shown=True),
    "a frame of too few rows": animated_png(picture(), BLUE[:3]),
    "a wrong checksum": animated_png(picture(), BLUE).replace(b"fdAT\0", b"fdAT\1", 1),
}


@pytest.mark.parametrize("data", ANIMATIONS.values(), ids=ANIMATIONS)
def test_of_an_animation_the_default_picture_is_taken(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "animated.png"
    path.write_bytes(default_picture(data))
    assert np.array_equal(decode(data), picture())
    assert np.array_equal(np.asarray(cv2.imread(str(path))), picture())


def test_no_chunk_of_an_animation_reaches_opencv_and_no_other_is_missing() -> None:
    text = png_chunk(b"tEXt", b"Comment\0acTL fcTL fdAT")
    data = animated_png(picture(), BLUE, OTHER, shown=True)
    data = data[:AFTER_HEADER] + text + data[AFTER_HEADER:]
    still = default_picture(data)
    assert text in still
    assert not any(kind in still.replace(text, b"") for kind in (b"acTL", b"fcTL", b"fdAT"))


@pytest.mark.parametrize(
    "data", [PLAIN, PLAIN + b"tail", encoded(".bmp", picture()), b"", b"\x89P"]
)
def test_what_is_no_animation_stays_the_same_object(data: bytes) -> None:
    assert default_picture(data) is data


@pytest.mark.parametrize(
    "data",
    [
        with_few_rows(PLAIN),
        with_few_rows(animated_png(picture(), BLUE, shown=True)),
        with_few_rows(animated_png(picture(), BLUE)),
        PLAIN[:AFTER_HEADER] + PLAIN[-12:],
        animated_png(picture(), BLUE)[:AFTER_HEADER] + PLAIN[-12:],
    ],
    ids=["rows", "rows, shown", "rows, not shown", "no pixels", "no pixels, animated"],
)
def test_missing_rows_are_an_error_not_unwritten_memory(data: bytes) -> None:
    assert kind_of(data) == "not_an_image"


@given(st.binary(max_size=80), st.integers(8, len(PLAIN)))
def test_whatever_a_png_holds_default_picture_returns_parts_of_it(junk: bytes, at: int) -> None:
    data = PLAIN[:at] + junk + PLAIN[at:]
    still = default_picture(data)
    assert still.startswith(PNG_START)
    assert len(still) <= len(data)
