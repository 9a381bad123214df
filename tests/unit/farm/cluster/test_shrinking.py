from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from farm.cluster.shrinking import shrunk, target
from tests.helpers.odd_images import half
from workers.errors import ImageError
from workers.images import sizes
from workers.images.orientation import SIDEWAYS
from workers.images.preprocess import decode


def photo(
    width: int = 400,
    height: int = 300,
    form: str = "JPEG",
    exif: Image.Exif | None = None,
    quality: int = 95,
) -> bytes:
    """A picture that is dark at the left, red at the top."""
    across = np.linspace(0, 255, width, dtype=np.uint8)[np.newaxis, :, np.newaxis]
    picture = np.repeat(np.repeat(across, height, axis=0), 3, axis=2)
    picture[: height // 4, :, 0] = 255
    file = io.BytesIO()
    Image.fromarray(picture).save(file, form, quality=quality, exif=exif or Image.Exif())
    return file.getvalue()


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_a_large_image_becomes_a_small_jpeg_of_the_same_picture(form: str) -> None:
    data = photo(form=form)
    found = shrunk(data, 100)
    assert found is not None
    small, size = found
    assert size == (400, 300)
    assert sizes.size(small) == (100, 75)
    assert small.startswith(b"\xff\xd8\xff")
    expected = cv2.resize(decode(data)[0], (100, 75), interpolation=cv2.INTER_AREA)
    assert np.abs(decode(small)[0].astype(int) - expected).mean() < 3


@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_is_upright(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = photo(exif=exif)
    found = shrunk(data, 100)
    assert found is not None
    small, size = found
    sideways = orientation in SIDEWAYS
    assert size == ((300, 400) if sideways else (400, 300))
    assert sizes.size(small) == ((75, 100) if sideways else (100, 75))
    upright, _ = decode(data)
    expected = cv2.resize(upright, sizes.size(small), interpolation=cv2.INTER_AREA)
    assert np.abs(decode(small)[0].astype(int) - expected).mean() < 3


@pytest.mark.parametrize("data", [photo(), photo(100, 400), b"", b"no image"])
def test_what_is_small_or_unknown_stays_as_it_is(data: bytes) -> None:
    assert shrunk(data, 400) is None


def test_what_is_broken_is_an_error_here_as_on_a_board() -> None:
    data = half(".jpg")
    with pytest.raises(ImageError) as here:
        shrunk(data, 10)
    with pytest.raises(ImageError) as there:
        decode(data)
    assert (here.value.kind, str(here.value)) == (there.value.kind, str(there.value))


@pytest.mark.parametrize(
    ("size", "expected"),
    [((4000, 3000), (640, 480)), ((3000, 4000), (480, 640)), ((100_000, 10), (640, 1))],
)
def test_a_copy_has_the_shape_of_its_image(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert target(size, 640) == expected
