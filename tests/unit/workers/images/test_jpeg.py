"""JPEGs of every make: OpenCV's pixels, or damage that OpenCV does not tell of; and scaled ones."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import simplejpeg

from tests.helpers.odd_images import (
    CMYK,
    JPEG_END,
    YCCK,
    encoded,
    hollow_jpeg,
    huge_jpeg,
    jpeg,
    picture,
    turned_jpeg,
)
from tests.helpers.pixels import pixels as pixels_of
from tests.helpers.pixels import tensor_of
from tests.helpers.support import ROOT
from workers.errors import ImageError
from workers.images import preprocess as image
from workers.images.jpeg import scale_for
from workers.protocol.messages import Encoded, Pixels
from workers.protocol.spec import EXACT, FAST, InputSpec

PROGRESSIVE = (cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
RESTARTS = (cv2.IMWRITE_JPEG_RST_INTERVAL, 1)
SAMPLINGS = {
    name: (cv2.IMWRITE_JPEG_SAMPLING_FACTOR, getattr(cv2, f"IMWRITE_JPEG_SAMPLING_FACTOR_{name}"))
    for name in ("444", "422", "440", "420", "411")
}
INPUT = InputSpec(width=40, height=30, layout="NHWC", dtype="uint8")


def compressed(*flags: int, width: int = 320, height: int = 240, channels: int = 3) -> bytes:
    return packed(picture(width, height, channels), *flags)


def packed(pixels: npt.NDArray[Any], *flags: int) -> bytes:
    done, data = cv2.imencode(".jpg", pixels, list(flags))
    assert done
    return data.tobytes()


def by_opencv(data: bytes) -> npt.NDArray[Any]:
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR))


def pixels(data: bytes) -> npt.NDArray[Any]:
    return pixels_of(Encoded(data))


def is_damaged(data: bytes) -> bool:
    try:
        pixels(data)
    except ImageError as error:
        return error.kind == "damaged"
    return False


@pytest.fixture
def without_opencv(monkeypatch: pytest.MonkeyPatch) -> None:
    """What OpenCV would have to decode is an error."""
    monkeypatch.delattr(image, "_by_opencv")


@pytest.mark.usefixtures("without_opencv")
@pytest.mark.parametrize("quality", [1, 50, 95, 100])
@pytest.mark.parametrize("flags", [(), PROGRESSIVE, RESTARTS, (*PROGRESSIVE, *RESTARTS)])
@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_every_kind_of_jpeg_has_the_pixels_of_opencv(
    sampling: str, flags: tuple[int, ...], quality: int
) -> None:
    sizes = ((1, 1), (7, 9), (8, 8), (16, 17), (33, 21), (64, 48), (131, 3))
    flags = (*SAMPLINGS[sampling], *flags, cv2.IMWRITE_JPEG_QUALITY, quality)
    for width, height in sizes:
        data = compressed(*flags, width=width, height=height)
        assert np.array_equal(pixels(data), by_opencv(data))


@pytest.mark.usefixtures("without_opencv")
@pytest.mark.parametrize("flags", [(), PROGRESSIVE, RESTARTS])
def test_a_grey_jpeg_has_the_pixels_of_opencv(flags: tuple[int, ...]) -> None:
    data = compressed(*flags, width=61, height=47, channels=1)
    assert np.array_equal(pixels(data), by_opencv(data))


@pytest.mark.usefixtures("without_opencv")
def test_a_jpeg_of_red_green_and_blue_has_the_pixels_of_opencv() -> None:
    adobe = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\0"  # the last 0: not YCbCr
    data = jpeg()
    data = data[:2] + adobe + data[20:]  # in place of the JFIF segment
    assert np.array_equal(pixels(data), by_opencv(data))
    assert not np.array_equal(pixels(data), pixels(jpeg()))


SHADES = [
    simplejpeg.encode_jpeg(picture(61, 47, 4), colorspace="CMYK", colorsubsampling=sampling)
    for sampling in ("444", "420")
]


@pytest.mark.usefixtures("without_opencv")
@pytest.mark.parametrize("data", [*SHADES, CMYK, YCCK])
def test_a_jpeg_of_inks_has_the_pixels_of_opencv(data: bytes) -> None:
    assert np.array_equal(pixels(data), by_opencv(data))


def rarely_sampled() -> bytes:
    """A grey square of 32x16 pixels, with one Cb and one Cr to 4x2 of its Y blocks."""
    flat = np.full((16, 32, 3), 128, np.uint8)
    data = encoded(".jpg", flat)
    frame, scan = data.index(b"\xff\xc0"), data.index(b"\xff\xda")
    # Eight Y blocks 00 1010 (no difference, end of block), two of colour 00 00.
    nothing = bytes.fromhex("28a28a28a28a00")
    return data[: frame + 11] + b"\x42" + data[frame + 12 : scan + 14] + nothing + JPEG_END


def test_what_simplejpeg_can_not_read_opencv_does() -> None:
    data = rarely_sampled()
    with pytest.raises(ValueError, match="subsampling"):
        simplejpeg.decode_jpeg(data)
    assert np.array_equal(pixels(data), np.full((16, 32, 3), 128))


@pytest.mark.parametrize("keep", [0.5, 0.7, 0.9, 0.99])
@pytest.mark.parametrize("flags", [(), RESTARTS])
def test_a_jpeg_cut_anywhere_in_its_pixels_is_damaged(flags: tuple[int, ...], keep: float) -> None:
    data = compressed(*flags)
    assert not is_damaged(data)
    assert is_damaged(data[: int(len(data) * keep)] + JPEG_END)


@pytest.mark.parametrize("data", [turned_jpeg(), CMYK, YCCK], ids=["turned", "CMYK", "YCCK"])
def test_jpegs_that_need_more_than_decoding_are_damaged_like_others(data: bytes) -> None:
    assert is_damaged(data[:-20] + JPEG_END)


@pytest.mark.parametrize("marker", [b"\xff\x02", b"\xff\xc0", b"\xff\xda\0\x08"])
def test_what_has_no_place_in_the_pixels_is_damage(marker: bytes) -> None:
    """libjpeg gives up there; OpenCV has some pixels by then, and gives those."""
    data = compressed()
    middle = len(data) // 2
    broken = data[:middle] + marker + data[middle:]
    assert by_opencv(broken).shape == (240, 320, 3)
    assert is_damaged(broken)


def test_an_end_that_belongs_to_something_else_is_damage() -> None:
    data = compressed()
    assert is_damaged(data[:-2] + b"\xff\xfe\0\x08" + JPEG_END * 3)  # a comment


def test_each_thread_hears_only_of_its_own_images() -> None:
    pile = [hollow_jpeg(), jpeg()] * 200
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(is_damaged, pile)) == [True, False] * 200


PEAK = """
import sys
from workers.images import preprocess as image
from workers.errors import ImageError
from workers.protocol.messages import Encoded

def peak():
    status = open("/proc/self/status").read()
    return int(status.partition("VmHWM:")[2].split()[0])

small, huge = sys.stdin.buffer.read().split(b"|")
image.decode(bytes.fromhex(small.decode()))
before = peak()
for needed in (None, lambda size: (224, 224)):
    try:
        image.decode(bytes.fromhex(huge.decode()), needed)
    except ImageError as error:
        print(error.kind, peak() - before)
"""


def test_too_many_pixels_are_refused_before_there_is_memory_for_them() -> None:
    told = subprocess.run(
        [sys.executable, "-c", PEAK],
        cwd=ROOT,
        env={**os.environ, "OPENCV_IO_MAX_IMAGE_PIXELS": "100000000"},
        input=f"{turned_jpeg().hex()}|{huge_jpeg().hex()}",  # first one that both libraries read
        capture_output=True,
        text=True,
        check=True,
    )
    for line in told.stdout.splitlines(keepends=True):
        kind, kilobytes = line.split()
        assert kind == "too_many_pixels"
        assert int(kilobytes) < 20_000  # of 1.2 GB; 3.13 takes 3 MB for code
    assert told.stdout.count("\n") == 2


@pytest.mark.parametrize(
    ("size", "least", "scale"),
    [
        ((447, 448), (224, 224), 1),
        ((448, 448), (224, 224), 2),
        ((895, 1000), (224, 224), 2),
        ((896, 900), (224, 224), 4),
        ((1792, 1792), (224, 224), 8),
        ((50_000, 50_000), (224, 224), 8),
        ((50_000, 300), (224, 224), 1),
        ((300, 50_000), (224, 224), 1),
        ((200, 100), (100, 40), 2),
        ((100, 200), (100, 40), 1),
        ((1, 1), (1, 1), 1),
        ((8, 8), (1, 1), 8),
    ],
)
def test_a_jpeg_is_scaled_as_far_as_leaves_enough(
    size: tuple[int, int], least: tuple[int, int], scale: int
) -> None:
    assert scale_for(size, least) == scale


@pytest.mark.parametrize("flags", [(), PROGRESSIVE, RESTARTS, *SAMPLINGS.values()])
@pytest.mark.parametrize(
    ("least", "shape"),
    [
        ((40, 30), (30, 40, 3)),
        ((41, 30), (60, 80, 3)),
        ((160, 120), (120, 160, 3)),
        ((160, 121), (240, 320, 3)),
    ],
)
def test_a_large_jpeg_comes_smaller_from_its_decoder(
    flags: tuple[int, ...], least: tuple[int, int], shape: tuple[int, ...]
) -> None:
    # Nothing finer than scaling keeps.
    smooth = cv2.resize(picture(10, 8), (320, 240), interpolation=cv2.INTER_CUBIC)
    small = pixels_of(Encoded(packed(smooth, *flags)), least)
    assert small.shape == shape
    wanted = cv2.resize(smooth, shape[1::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(int) - wanted).mean() < 2


def test_sides_that_scaling_does_not_divide_are_rounded_up() -> None:
    data = compressed(width=323, height=241)
    assert pixels_of(Encoded(data), (40, 30)).shape == (31, 41, 3)


def test_of_a_picture_on_its_side_width_and_height_are_those_it_will_have() -> None:
    upright = pixels(turned_jpeg())
    assert upright.shape == (48, 32, 3)
    assert pixels_of(Encoded(turned_jpeg()), (16, 24)).shape == (24, 16, 3)
    assert pixels_of(Encoded(turned_jpeg()), (24, 16)).shape == (48, 32, 3)


def test_fast_is_scaled_and_exact_is_not() -> None:
    data = compressed()
    for mode, decoded in ((FAST, pixels_of(Encoded(data), (40, 30))), (EXACT, pixels(data))):
        wanted = cv2.resize(decoded, (40, 30), interpolation=cv2.INTER_AREA)[..., ::-1]
        assert np.array_equal(tensor_of(Encoded(data), INPUT, mode)[0], wanted)
    assert decoded.shape == (240, 320, 3)


def test_fast_changes_nothing_but_jpegs() -> None:
    large = picture(320, 240)
    sources = (
        Encoded(encoded(".png", large)),
        Pixels(large.tobytes(), 240, 320),
        Encoded(compressed(width=79, height=200)),
    )
    for source in sources:
        assert np.array_equal(tensor_of(source, INPUT, FAST), tensor_of(source, INPUT))


@pytest.mark.parametrize("keep", [0.5, 0.9, 0.99])
def test_a_broken_jpeg_is_damaged_to_fast_decoding_too(keep: float) -> None:
    data = compressed()
    with pytest.raises(ImageError) as caught:
        tensor_of(Encoded(data[: int(len(data) * keep)] + JPEG_END), INPUT, FAST)
    assert caught.value.kind == "damaged"
