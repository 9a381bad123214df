"""A copy is of its image's kind: the same quality, the same colours, and it stands upright."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageCms
from PIL.JpegImagePlugin import JpegImageFile, get_sampling

from farm.pictures.encode import QUALITY, encoded, png_profile, settings, suffixes
from tests.helpers.odd_images import picture, turned_jpeg
from workers.images.preprocess import decode

PIXELS = np.kron(picture(), np.ones((4, 4, 1), np.uint8))
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def saved(form: str, mode: str = "RGB", **options: Any) -> bytes:
    file = io.BytesIO()
    Pillow.fromarray(PIXELS[:, :, ::-1]).convert(mode).save(file, form, **options)
    return file.getvalue()


@pytest.mark.parametrize("quality", [5, 30, 75, 92, 100])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
def test_a_jpeg_keeps_its_quality(quality: int, subsampling: int) -> None:
    source = saved("JPEG", quality=quality, subsampling=subsampling)
    made = encoded(PIXELS, source)
    before, after = JpegImageFile(io.BytesIO(source)), JpegImageFile(io.BytesIO(made))
    assert after.quantization == before.quantization
    assert get_sampling(after) == subsampling
    assert 0.9 < len(made) / len(source) < 1.1


def test_a_jpeg_shows_the_same() -> None:
    made, _ = decode(encoded(PIXELS, saved("JPEG", quality=98, subsampling=0)))
    assert abs(made.astype(int) - PIXELS).mean() < 3


def test_tables_of_no_usual_quality_are_kept() -> None:
    tables = {0: [7] * 64, 1: [*range(9, 73)]}
    made = encoded(PIXELS, saved("JPEG", qtables=tables))
    found = JpegImageFile(io.BytesIO(made)).quantization
    assert {number: list(table) for number, table in found.items()} == tables


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_a_jpeg_of_other_colours_becomes_one_of_three(mode: str) -> None:
    source = saved("JPEG", mode, quality=60)
    made = JpegImageFile(io.BytesIO(encoded(PIXELS, source)))
    assert made.mode == "RGB"
    assert made.quantization[0] == JpegImageFile(io.BytesIO(source)).quantization[0]


@pytest.mark.parametrize(
    "source", [b"\xff\xd8\xff", b"\xff\xd8\xff\xe0\0\x10JFIF", b"\xff\xd8\xff" + b"x" * 99]
)
def test_what_pillow_can_not_read_becomes_a_good_jpeg(source: bytes) -> None:
    assert settings(source) == {"quality": QUALITY}
    assert decode(encoded(PIXELS, source))[1] == PIXELS.shape[1::-1]


def test_a_copy_does_not_say_that_it_must_be_turned() -> None:
    source = turned_jpeg()
    upright, size = decode(source)
    made = encoded(upright, source)
    assert Pillow.open(io.BytesIO(source)).getexif()
    assert not Pillow.open(io.BytesIO(made)).getexif()
    assert decode(made)[1] == size


@pytest.mark.parametrize("form", ["PNG", "WEBP", "BMP", "TIFF", "GIF"])
def test_all_else_becomes_a_png_of_the_same_pixels(form: str) -> None:
    source = saved(form)
    made = encoded(PIXELS, source)
    assert np.array_equal(decode(made)[0], PIXELS)
    assert suffixes(source) == (".png",)
    assert suffixes(saved("JPEG"))[0] == ".jpg"


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_the_colour_profile_is_kept(form: str) -> None:
    made = Pillow.open(io.BytesIO(encoded(PIXELS, saved(form, icc_profile=PROFILE))))
    assert made.info["icc_profile"] == PROFILE
    assert "icc_profile" not in Pillow.open(io.BytesIO(encoded(PIXELS, saved(form)))).info


@pytest.mark.parametrize(("form", "mode"), [("JPEG", "L"), ("JPEG", "CMYK"), ("PNG", "L")])
def test_a_profile_of_other_colours_is_not(form: str, mode: str) -> None:
    grey = PROFILE[:16] + b"GRAY" + PROFILE[20:]
    made = encoded(PIXELS, saved(form, mode, icc_profile=grey))
    assert "icc_profile" not in Pillow.open(io.BytesIO(made)).info


@pytest.mark.parametrize("cut", [8, 26, 33, 40])
def test_a_png_that_ends_early_has_no_profile(cut: int) -> None:
    assert png_profile(saved("PNG")[:cut]) == b""


@pytest.mark.parametrize("rows", [65501, 65536])
def test_more_rows_than_a_jpeg_can_have_are_refused(rows: int) -> None:
    with pytest.raises(OSError, match="up to 65500"):
        encoded(np.zeros((rows, 1, 3), np.uint8), saved("JPEG"))
