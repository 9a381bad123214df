"""Pictures in every fit: what is seen in the tensor is, by its ImageInfo, where it is upright."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from tests.helpers.pixels import pixels, tensor_of
from tests.unit.workers.images.test_orientation import ORIENTATION, SHORT, exif_of, tiff
from workers.images import area, jpeg, preprocess
from workers.images import orientation as exif
from workers.images.fit import ImageInfo, place
from workers.protocol.messages import Encoded, FileRef, Pixels
from workers.protocol.spec import (
    BGR,
    CROP,
    EXACT,
    FAST,
    LETTERBOX,
    RGB,
    STRETCH,
    InputSpec,
)

Array = npt.NDArray[Any]
FITS = (STRETCH, LETTERBOX, CROP)
WIDTH, HEIGHT, SIDE = 1603, 1201, 160  # no multiples of 8, and the middle is where a crop is
# As stored; red, green, blue. None is in the middle of the others.
MARKERS = {
    (255, 0, 0): (560, 240),
    (0, 255, 0): (880, 300),
    (0, 0, 255): (640, 720),
}


def spec(**changes: Any) -> InputSpec:
    return InputSpec(**{"width": 192, "height": 128, "layout": "NHWC", "dtype": "uint8", **changes})


def marked() -> npt.NDArray[np.uint8]:
    """Squares of full colours on black, BGR, as stored."""
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for color, (x, y) in MARKERS.items():
        picture[y : y + SIDE, x : x + SIDE] = color[::-1]
    return picture


def encoded(suffix: str, picture: Array) -> bytes:
    done, data = cv2.imencode(suffix, picture)
    assert done
    return data.tobytes()


JPEG = encoded(".jpg", marked())


def turned(number: int) -> bytes:
    return JPEG[:2] + exif_of(tiff((ORIENTATION, SHORT, 1, number, 0))) + JPEG[2:]


def seen(rgb: Array) -> Array:
    """The edges of the markers in a picture of float or whole numbers, to parts of a pixel."""
    found = []
    for color in MARKERS:
        channel = int(np.argmax(color))
        others = np.delete(rgb, channel, axis=-1).max(axis=-1)  # as light in black and grey
        light = (rgb[..., channel].astype(float) - others) / 255
        light[light < 0.1] = 0
        rows, columns = light.max(axis=1), light.max(axis=0)
        x, y = np.argmax(columns > 0.5), np.argmax(rows > 0.5)
        x -= columns[x - 1] if x else 0
        y -= rows[y - 1] if y else 0
        found.append((x, y, x + columns.sum(), y + rows.sum()))
    return np.array(found)


@cache
def upright(number: int) -> tuple[tuple[int, ...], Array]:
    """The size of the turned picture, and its markers."""
    picture = exif.turned(marked(), number)
    return picture.shape[1::-1], seen(picture[..., ::-1])


def agree(tensor: Array, info: ImageInfo, number: int) -> None:
    """Compare the markers in a tensor, taken back to the image, with those in the image."""
    size, boxes = upright(number)
    assert (info.width, info.height) == size
    # Within a pixel of the input.
    assert np.abs(info.to_image(seen(tensor[0])) - boxes).max() <= 1 / min(info.scale)


@pytest.mark.parametrize("mode", [EXACT, FAST])
@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("number", exif.ORIENTATIONS)
def test_a_turned_jpegs_boxes_are_in_the_upright_image(fit: str, number: int, mode: str) -> None:
    for to in ({}, {"width": 128, "height": 192}, {"width": 99, "height": 99}):
        tensor, info = preprocess.load(Encoded(turned(number)), spec(fit=fit, **to), mode)
        agree(tensor, info, number)


@pytest.mark.parametrize("fit", FITS)
def test_fast_gives_a_picture_no_smaller_than_the_fit_needs(
    fit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes: list[tuple[int, ...]] = []
    fill = preprocess.fill

    def watched(picture: Any, *given: Any) -> Any:
        shapes.append(picture.shape[:2])
        return fill(picture, *given)

    monkeypatch.setattr(preprocess, "fill", watched)
    for number in (1, 6):
        preprocess.load(Encoded(turned(number)), spec(fit=fit, width=200, height=280), FAST)
    # Upright it is 1603 x 1201, then 1201 x 1603; the letterbox is 200 x 150 and 200 x 267, the
    # crop needs 374 x 280 and 210 x 280.
    assert (
        shapes
        == {
            STRETCH: [(301, 401), (401, 301)],
            LETTERBOX: [(151, 201), (401, 301)],
            CROP: [(301, 401), (401, 301)],
        }[fit]
    )


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("mode", [EXACT, FAST])
def test_every_way_to_pixels_knows_the_size(fit: str, mode: str, tmp_path: Path) -> None:
    picture = marked()
    path = tmp_path / os.fsdecode(b"caf\xe9.png")
    path.write_bytes(encoded(".png", picture))
    sources = {
        None: (
            Encoded(encoded(".bmp", picture)),
            Encoded(JPEG),
            Pixels(picture.tobytes(), HEIGHT, WIDTH),
        ),
        str(path): (
            FileRef(os.fsencode(path)),
            FileRef(os.fsencode(path.name), os.fsencode(tmp_path)),
        ),
    }
    for name, group in sources.items():
        for source in group:
            tensor, info = preprocess.load(source, spec(fit=fit), mode)
            assert info.path == name
            agree(tensor, info, exif.UPRIGHT)


@pytest.mark.parametrize("fit", FITS)
def test_a_jpeg_left_to_opencv_knows_its_size(fit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise jpeg.Refused(None)

    monkeypatch.setattr(jpeg, "decode", refuse)
    tensor, info = preprocess.load(Encoded(turned(6)), spec(fit=fit), FAST)
    agree(tensor, info, 6)


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
@pytest.mark.parametrize("color", [RGB, BGR])
def test_beside_a_letterbox_is_grey_before_mean_and_std(layout: str, color: str) -> None:
    mean, std = (100.0, 110.0, 120.0), (2.0, 4.0, 8.0)
    picture = np.full((60, 100, 3), 200, np.uint8)
    source = Pixels(picture.tobytes(), 60, 100)
    wanted = spec(fit=LETTERBOX, layout=layout, color=color, dtype="float32", mean=mean, std=std)
    tensor = tensor_of(source, wanted)
    assert tensor.flags.c_contiguous
    found = tensor[0] if layout == "NHWC" else tensor[0].transpose(1, 2, 0)
    # round(60 * min(128 / 60, 192 / 100)) is 115, and 13 is left: 6 above, 7 below.
    expected = np.full((128, 192, 3), 200.0)
    expected[:6] = expected[-7:] = 114
    assert np.array_equal(found, (expected - mean) / std)


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_bgr_is_the_same_in_opencvs_order(fit: str, layout: str, dtype: str) -> None:
    changes: dict[str, Any] = {"fit": fit, "layout": layout, "dtype": dtype}
    channels = 3 if layout == "NHWC" else 1
    rgb = tensor_of(Encoded(JPEG), spec(**changes))
    if dtype == "float32":  # in the order of the channels they are for
        rgb = np.moveaxis((np.moveaxis(rgb, channels, -1) - (1, 2, 3)) / (4, 5, 8), -1, channels)
        changes |= {"mean": (3.0, 2.0, 1.0), "std": (8.0, 5.0, 4.0)}
    bgr = tensor_of(Encoded(JPEG), spec(**changes, color=BGR))
    assert bgr.flags.c_contiguous
    assert np.allclose(bgr, np.flip(rgb, channels))
    assert not np.allclose(bgr, rgb)


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (2, 3), (3, 900), (63, 31)])
@pytest.mark.parametrize("to", [(64, 64), (1, 1), (1, 77), (320, 8)])
def test_the_smallest_and_the_narrowest_fill_the_input(
    fit: str, size: tuple[int, int], to: tuple[int, int]
) -> None:
    picture = np.full((size[1], size[0], 3), 7, np.uint8)
    for source in (Pixels(picture.tobytes(), size[1], size[0]), Encoded(encoded(".jpg", picture))):
        tensor, info = preprocess.load(source, spec(fit=fit, width=to[0], height=to[1]), FAST)
        assert tensor.shape == (1, to[1], to[0], 3)
        assert (info.width, info.height) == size
        assert set(np.unique(tensor).tolist()) <= {7, 114}
        assert 7 in tensor


def smooth(width: int, height: int) -> npt.NDArray[np.uint8]:
    noise = np.random.default_rng(7).integers(0, 256, (height, width, 3), np.uint8)
    return np.asarray(cv2.GaussianBlur(noise, (9, 9), 0), np.uint8)


@pytest.mark.parametrize(("width", "height"), [(901, 600), (600, 901), (50, 31), (192, 128)])
def test_what_fills_the_target_is_the_part_resized(width: int, height: int) -> None:
    picture = smooth(width, height)
    for fit in FITS:
        wanted = spec(fit=fit)
        placement = place((width, height), wanted)
        left, top, wide, high = placement.part
        part = picture[top : top + high, left : left + wide, ::-1]
        left, top, wide, high = placement.target
        resized = cv2.resize(part, (wide, high), interpolation=cv2.INTER_AREA)
        tensor = tensor_of(Pixels(picture.tobytes(), height, width), wanted)[0]
        assert np.array_equal(tensor[top : top + high, left : left + wide], resized)


def test_a_crop_is_resized_by_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """It needs the part in one piece; else OpenCV would take three times as long."""
    pieces: list[bool] = []

    def watched(picture: Array, width: int, height: int) -> area.Image:
        pieces.append(area.suits(picture, width, height))
        return area.by_opencv(picture, width, height)

    monkeypatch.setattr(preprocess, "RESIZE", SimpleNamespace(to_rgb=watched))
    tensor_of(Encoded(JPEG), spec(fit=CROP, width=100, height=100))
    assert pieces == [True]


def test_an_image_as_large_as_the_input_is_as_it_is_in_every_fit() -> None:
    picture = pixels(Encoded(JPEG))
    for fit in FITS:
        wanted = spec(fit=fit, width=WIDTH, height=HEIGHT)
        tensor, info = preprocess.load(Encoded(JPEG), wanted)
        assert np.array_equal(tensor[0], picture[..., ::-1])
        assert info == ImageInfo(WIDTH, HEIGHT, (1.0, 1.0), (0.0, 0.0), None)
