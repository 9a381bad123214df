"""Which of libjpeg's complaints make an image damaged, and that each thread hears its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.odd_images import JPEG_END, hollow_jpeg, jpeg, picture
from workers import image, libjpeg
from workers.errors import ImageError
from workers.wire import Encoded

pytestmark = pytest.mark.skipif(
    not Path(libjpeg.COUNTERS).exists(), reason="this kernel does not count what threads write"
)


def is_damaged(data: bytes) -> bool:
    try:
        image.pixels(Encoded(data))
    except ImageError as error:
        return error.kind == "damaged"
    return False


def compressed(*flags: int) -> bytes:
    done, data = cv2.imencode(".jpg", picture(320, 240), list(flags))
    assert done
    return data.tobytes()


@pytest.mark.parametrize("keep", [0.5, 0.7, 0.9, 0.99])
@pytest.mark.parametrize("flags", [(), (cv2.IMWRITE_JPEG_RST_INTERVAL, 1)])
def test_a_jpeg_cut_anywhere_in_its_pixels_is_damaged(flags: tuple[int, ...], keep: float) -> None:
    data = compressed(*flags)
    assert not is_damaged(data)
    assert is_damaged(data[: int(len(data) * keep)] + JPEG_END)


def test_a_lost_restart_marker_is_damage() -> None:
    data = compressed(cv2.IMWRITE_JPEG_RST_INTERVAL, 1)
    at = data.index(b"\xff\xd3")
    assert is_damaged(data[:at] + b"\xff\xd5" + data[at + 2 :])


def test_padding_before_the_end_is_no_damage() -> None:
    """Some cameras do that; libjpeg: N extraneous bytes before marker 0xd9."""
    padded = jpeg()[:-2] + bytes(40) + JPEG_END
    before = libjpeg.written()
    assert np.array_equal(image.pixels(Encoded(padded)), image.pixels(Encoded(jpeg())))
    assert libjpeg.written() > before


def test_without_the_kernels_count_nothing_is_damaged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libjpeg, "COUNTERS", "/nowhere")
    with ThreadPoolExecutor(1) as thread:  # a thread that has not opened its counters yet
        assert thread.submit(is_damaged, hollow_jpeg()).result() is False


def test_each_thread_hears_only_of_its_own_images() -> None:
    pile = [hollow_jpeg(), jpeg()] * 200
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(is_damaged, pile)) == [True, False] * 200
