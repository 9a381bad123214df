"""Width and height by the header, of every format; too many of them, refused in our own words."""

from __future__ import annotations

import struct

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers.odd_images import (
    ANIMATED_GIF,
    encoded,
    huge_bmp,
    huge_jpeg,
    huge_png,
    picture,
    wide_bmp,
    wide_png,
)
from tests.helpers.pixels import decode
from workers.errors import ImageError
from workers.images import preprocess as image
from workers.images.sizes import MAX_SIDE, max_side, size

WRITTEN = [".jpg", ".png", ".bmp", ".tiff", ".webp", ".jp2", ".ppm", ".pam", ".pgm", ".ras", ".hdr"]
WRITTEN += [".avif"] if cv2.haveImageWriter("a.avif") else []
PICTURES = {
    suffix: encoded(
        suffix,
        picture(48, 32, 1 if suffix == ".pgm" else 3).astype(
            np.float32 if suffix == ".hdr" else np.uint8
        ),
    )
    for suffix in WRITTEN
}
VP8L = b"RIFF\x30\0\0\0WEBPVP8L\x20\0\0\0\x2f" + struct.pack("<I", 47 | 31 << 14)
VP8X = b"RIFF\x30\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x2f\0\0\x1f\0\0"
CORE_BMP = b"BM" + bytes(12) + b"\x0c\0\0\0" + struct.pack("<HH", 48, 32)
STREAM = b"\xff\x4f\xff\x51\0\x2f\0\0" + struct.pack(">II", 48, 32)


@pytest.mark.parametrize("suffix", WRITTEN)
def test_the_size_is_that_of_the_pixels(suffix: str) -> None:
    assert decode(PICTURES[suffix]).shape[:2] == (32, 48)
    assert size(PICTURES[suffix]) == (48, 32)


@pytest.mark.parametrize(
    "data",
    [VP8L, VP8X, CORE_BMP, STREAM, b"P6\n# a comment 9 9\n48 32\n255\n", b"P4 48\n32\n"],
)
def test_rarer_headers_have_a_size_too(data: bytes) -> None:
    assert size(data) == (48, 32)


def test_a_gif_and_a_bmp_from_top_to_bottom_have_a_size() -> None:
    data = bytearray(PICTURES[".bmp"])
    data[22:26] = struct.pack("<i", -32)
    assert size(bytes(data)) == (48, 32)
    assert size(ANIMATED_GIF) == (24, 16)


def test_a_png_whose_header_is_broken_has_none() -> None:
    data = bytearray(PICTURES[".png"])
    data[16] ^= 1
    assert size(bytes(data)) is None
    with pytest.raises(ImageError) as caught:
        decode(bytes(data))
    assert caught.value.kind == "not_an_image"


def changed(suffix: str, old: bytes, new: bytes) -> bytes:
    assert old in PICTURES[suffix]
    return PICTURES[suffix].replace(old, new, 1)


LARGE = {
    "JPEG": huge_jpeg(),
    "PNG": huge_png(),
    "BMP": huge_bmp(),
    "TIFF": PICTURES[".tiff"],
    "PPM": changed(".ppm", b"48 32", b"20000 20000"),
    "PAM": changed(".pam", b"WIDTH 48\nHEIGHT 32", b"WIDTH 20000\nHEIGHT 20000"),
    "JPEG 2000": changed(".jp2", struct.pack(">II", 32, 48), struct.pack(">II", 20000, 20000)),
    "Sun raster": changed(".ras", struct.pack(">II", 48, 32), struct.pack(">II", 20000, 20000)),
    "HDR": changed(".hdr", b"-Y 32 +X 48", b"-Y 20000 +X 20000"),
}


@pytest.mark.parametrize("name", LARGE)
def test_of_any_format_the_size_is_said(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenCV takes its limit when it is imported: it refuses here, as there, by its own check."""
    monkeypatch.setattr(image, "MAX_PIXELS", 100_000_000)
    monkeypatch.setattr(cv2, "imdecode", refuse)
    data = LARGE[name]
    if name == "TIFF":
        data = tiff(20000, 20000)
    with pytest.raises(ImageError) as caught:
        decode(data)
    assert caught.value.kind == "too_many_pixels"
    assert "20000x20000 are 400000000 pixels; max_pixels allows 100000000" in str(caught.value)


def refuse(*_: object) -> None:
    raise cv2.error("(-215:Assertion failed) pixels <= CV_IO_MAX_IMAGE_PIXELS in function 'x'")


def tiff(width: int, height: int) -> bytes:
    entries = struct.pack("<HHIIHHII", 256, 3, 1, width, 257, 4, 1, height)
    return b"II*\0" + struct.pack("<IH", 8, 2) + entries + bytes(4)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (wide_png(), "1048577x1 pixels; OpenCV reads up to 1000000 in"),
        (wide_bmp(), "1048577x1 pixels; OpenCV reads up to 1048576 in"),
    ],
)
def test_a_row_that_is_too_long_is_too_many_pixels(data: bytes, said: str) -> None:
    with pytest.raises(ImageError) as caught:
        decode(data)
    assert caught.value.kind == "too_many_pixels"
    assert said in str(caught.value)


def test_a_jpeg_longer_than_libjpeg_reads_is_too_many_pixels() -> None:
    data = bytearray(PICTURES[".jpg"])
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", 1, 65535)
    with pytest.raises(ImageError) as caught:
        decode(bytes(data))
    assert (caught.value.kind, max_side(bytes(data))) == ("too_many_pixels", 65500)
    assert max_side(b"GIF89a") == MAX_SIDE


@given(st.sampled_from([*PICTURES.values(), VP8L, VP8X, tiff(9, 9)]), st.data())
def test_no_header_is_so_broken_that_reading_its_size_fails(
    data: bytes, drawn: st.DataObject
) -> None:
    broken = bytearray(data[: drawn.draw(st.integers(0, min(len(data), 300)))])
    for _ in range(drawn.draw(st.integers(0, 3)) if broken else 0):
        broken[drawn.draw(st.integers(0, len(broken) - 1))] = drawn.draw(st.integers(0, 255))
    found = size(bytes(broken))
    assert found is None or all(side >= 0 for side in found)
