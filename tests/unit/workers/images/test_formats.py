"""Files that OpenCV can't read are named, with what to do; those that it misreads are refused."""

from __future__ import annotations

import json
import struct

import cv2
import numpy as np
import pytest

from tests.helpers.odd_images import ANIMATED_GIF, OTHER_FORMATS, encoded, jpeg, picture
from tests.helpers.pixels import decode
from workers.errors import ImageError
from workers.images.formats import UNKNOWN, describe, misread


def iso(brand: str, others: str = "") -> bytes:
    return b"\0\0\0\x1cftyp" + brand.encode() + b"\0\0\0\0" + others.encode() + bytes(50)


FILES = {
    **{data: name for name, data in OTHER_FORMATS.items() if name not in ("PFM", "PAM with alpha")},
    iso("heix", "mif1heic"): "HEIC",
    iso("mif1", "heicmiaf"): "HEIC",
    iso("mif1", "avifmiaf"): "AVIF",
    iso("avif"): "AVIF",
    iso("crx ", "isom"): "raw photo",
    iso("qt  "): "video",
    b"RIFF\0\1\0\0AVI LIST": "video",
    b"\x1aE\xdf\xa3\1\0\0\0": "video",
    b"\0\0\0\x0cJXL \r\n\x87\n": "JPEG XL",
    b"v/1\1\2\0\0\0": "OpenEXR",
    b"%!PS-Adobe-3.0 EPSF": "PostScript",
    b"\xef\xbb\xbf<svg>": "SVG",
    b"<!-- made by hand -->\n<!DOCTYPE svg PUBLIC 'x'>\n<svg>": "SVG",
    b"\r\n  <HTML lang='en'>": "web page",
    b"<?xml version='1.0'?><!DOCTYPE html><html>": "web page",
    b"\x08\x07\x12\x07pytorch\x1a": "model",
    b"7z\xbc\xaf\x27\x1c": "archive",
    b"x" * 257 + b"ustar": "archive",
    b"\x93NUMPY\1\0": "numpy",
    b"[1, 2]": "JSON",
    json.dumps([{"a": 1}], indent=1).encode(): "JSON",
    "Grüße\n".encode(): "a text",
    "Grüße ".encode() * 500: "a text",
    b"\0" * 17: "zero bytes",
    b"II*\0" + bytes(40) + b"\1": "TIFF or a raw photo",
}
RENAMED = {
    "PSD": "Photoshop",
    "ICO": "icon",
    "RKNN model": "model",
    "file of zeros": "zero bytes",
    "Git LFS pointer": "git lfs pull",
}


@pytest.mark.parametrize(("data", "word"), FILES.items(), ids=lambda value: repr(value[:12]))
def test_a_file_that_is_no_image_is_named(data: bytes, word: str) -> None:
    with pytest.raises(ImageError) as caught:
        decode(data)
    assert caught.value.kind == "not_an_image"
    assert RENAMED.get(word, word) in str(caught.value)


def cut(data: bytes) -> bytes:
    return data[: len(data) * 2 // 3]


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (cut(encoded(".webp", picture())), "WebP"),
        (cut(encoded(".bmp", picture())), "BMP"),
        (cut(encoded(".tiff", picture())), "TIFF"),
        (cut(encoded(".jp2", picture())), "JPEG 2000"),
        (cut(encoded(".ppm", picture())), "PNM"),
        (cut(encoded(".hdr", picture().astype(np.float32))), "HDR"),
        (cut(encoded(".ras", picture())), "Sun raster"),
        (cut(ANIMATED_GIF), "GIF"),
    ],
)
def test_a_broken_image_is_not_called_something_else(data: bytes, word: str) -> None:
    with pytest.raises(ImageError) as caught:
        decode(data)
    assert word in str(caught.value)
    assert "copy it again" in str(caught.value)


@pytest.mark.parametrize("data", [b"\xff\xd9\0\1", b"\x00\x01\x02\x03" * 9, bytes(range(128, 256))])
def test_what_nobody_knows_is_only_called_no_image(data: bytes) -> None:
    assert describe(b"\1" + data) == UNKNOWN


PAM = "P7\n{}WIDTH 48\nHEIGHT 32\nDEPTH {}\nMAXVAL 255\nTUPLTYPE {}\nENDHDR\n"


@pytest.mark.parametrize(("depth", "kind"), [(2, "GRAYSCALE_ALPHA"), (4, "RGB_ALPHA")])
@pytest.mark.parametrize("comment", ["", "# DEPTH 3\n"])
def test_a_pam_with_alpha_is_refused_as_opencv_leaves_its_pixels_unwritten(
    depth: int, kind: str, comment: str
) -> None:
    data = PAM.format(comment, depth, kind).encode() + bytes(48 * 32 * depth)
    with pytest.raises(ImageError, match="PAM"):
        decode(data)


@pytest.mark.parametrize(("depth", "kind"), [(1, "GRAYSCALE"), (3, "RGB")])
def test_a_pam_without_alpha_is_read(depth: int, kind: str) -> None:
    pixels = picture(channels=depth)
    data = PAM.format("", depth, kind).encode() + pixels.tobytes()  # OpenCV reads and writes BGR
    assert np.array_equal(decode(data), np.broadcast_to(pixels, (32, 48, 3)))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("scale", [-1.0, 2.5, 255.0])
def test_a_pfm_is_refused_whatever_its_range(channels: int, scale: float) -> None:
    head = f"P{'F' if channels == 3 else 'f'}\n48 32\n{scale}\n".encode()
    data = head + struct.pack("<f", 0.5) * 48 * 32 * channels
    with pytest.raises(ImageError, match="PFM"):
        decode(data)


@pytest.mark.parametrize("shape", [(32, 48), (32, 48, 1), (32, 48, 4), (32, 48, 3)])
def test_only_height_width_3_of_bytes_is_an_image(
    shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    dtype = np.float32 if shape == (32, 48, 3) else np.uint8
    monkeypatch.setattr(cv2, "imdecode", lambda *_: np.zeros(shape, dtype))
    with pytest.raises(ImageError, match="not as pixels of 3 colours"):
        decode(encoded(".png", picture()))


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".tiff", ".webp", ".jp2", ".ppm"])
def test_what_opencv_writes_is_not_misread(suffix: str) -> None:
    assert misread(encoded(suffix, picture())) is None
    assert misread(jpeg()) is None
