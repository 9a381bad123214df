"""What is read of a JPEG before it is decoded: its segments as libjpeg finds them, and limits."""

from __future__ import annotations

import struct
import time

import cv2
import numpy as np
import pytest

from tests.helpers.odd_images import JPEG_END, between_segments, encoded, jpeg, scans, turned_jpeg
from tests.helpers.pixels import decode
from workers.errors import ImageError
from workers.images import headers, sizes
from workers.images import preprocess as image

COMMENT = b"\xff\xfe\0\2"
FULL = b"\xff\xfe\xff\xff" + bytes(65_533)
QUICK = 2.0  # seconds, on a busy machine; unbounded, each of these takes far longer


def markers(data: bytes, *, past_scan: bool = False) -> list[int]:
    return [marker for marker, _, _ in headers.segments(data, past_scan=past_scan)]


def kind_of(data: bytes) -> str | None:
    try:
        decode(data)
    except ImageError as error:
        return error.kind
    return None


@pytest.mark.parametrize("between", [b"\xff" * 9, b"junk", b"\xff\0", b"\xff\xd3", b"\xff\x01"])
def test_segments_are_found_past_what_libjpeg_skips(between: bytes) -> None:
    plain = [marker for marker in markers(between_segments(between, jpeg())) if marker != 1]
    assert plain == markers(jpeg())
    assert plain[-1] == headers.SCAN
    assert sizes.size(between_segments(between, jpeg())) == (48, 32)


def test_past_the_scan_come_the_other_scans_and_the_end() -> None:
    assert markers(scans(3), past_scan=True)[-4:] == [0xDA, 0xDA, 0xDA, 0xD9]
    assert markers(scans(3))[-1] == headers.SCAN
    assert markers(jpeg() + b"\xff\xda" * 9, past_scan=True)[-2:] == [0xDA, 0xD9]


def test_segments_that_say_they_are_shorter_than_they_can_be_come_to_an_end() -> None:
    assert markers(b"\xff\xd8" + b"\xff\xfe\0\0" * 3) == [0xFE] * 3


@pytest.mark.parametrize("comment", [COMMENT, b"\xff\xe1\0\2", b"\xff\x01"])
def test_too_many_segments_are_refused_before_they_cost_time(comment: bytes) -> None:
    began = time.monotonic()
    assert kind_of(between_segments(comment * 5_000_000, jpeg())) == "too_complex"
    assert time.monotonic() - began < QUICK


@pytest.mark.parametrize("put", [COMMENT * 9_900, FULL * 300])
def test_many_segments_are_read(put: bytes) -> None:
    assert np.array_equal(decode(between_segments(put, jpeg())), decode(jpeg()))


def test_more_scans_than_any_program_writes_are_refused_before_they_are_decoded() -> None:
    data = scans(2000)
    at = data.index(b"\xff\xc2")
    large = data[: at + 5] + struct.pack(">HH", 9_000, 9_000) + data[at + 9 :]
    began = time.monotonic()
    assert kind_of(large) == "too_complex"
    assert time.monotonic() - began < QUICK


def test_as_many_scans_as_others_allow_are_read() -> None:
    assert np.array_equal(decode(scans(100)), np.full((32, 48, 3), 128))
    assert kind_of(scans(101)) == "too_complex"


def test_a_large_jpeg_may_have_fewer_scans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image, "MAX_PIXELS", 48 * 32)
    assert kind_of(scans(20)) is None
    assert kind_of(scans(21)) == "too_complex"
    monkeypatch.setattr(image, "MAX_PIXELS", 48 * 32 * 2)
    assert kind_of(scans(40)) is None
    assert kind_of(scans(41)) == "too_complex"


def one_by_one(count: int) -> bytes:
    """A grey sequential JPEG of 16x8 pixels, its components in own scans: Y `count` times."""
    flags = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    data = cv2.imencode(".jpg", np.full((8, 16, 3), 128, np.uint8), flags)[1].tobytes()
    scan = b"\xff\xda\0\x08\x01%c%c\0\x3f\0"
    # Two blocks each: no difference, end of block.
    luma, blue, red = scan % (1, 0) + b"\x28\xaf", scan % (2, 17) + b"\0", scan % (3, 17) + b"\0"
    return data[: data.index(b"\xff\xda")] + luma * count + blue + red + JPEG_END


def test_scans_of_a_sequential_jpeg_count_as_well() -> None:
    assert np.array_equal(decode(one_by_one(1)), np.full((8, 16, 3), 128))
    assert kind_of(one_by_one(98)) is None
    assert kind_of(one_by_one(99)) == "too_complex"


@pytest.mark.parametrize("after", [b"\xff\xda" * 500, scans(500)])
def test_what_comes_after_the_end_or_in_a_comment_is_no_scan(after: bytes) -> None:
    flat = scans(1)
    comment = b"\xff\xfe" + struct.pack(">H", len(after) + 2) + after
    assert kind_of(flat + after) is None
    assert kind_of(jpeg() + after) is None
    assert kind_of(between_segments(comment, flat)) is None


def test_the_end_of_a_thumbnail_is_not_that_of_the_picture() -> None:
    thumbnail = b"Exif\0\0" + encoded(".jpg", np.zeros((8, 8, 3), np.uint8))
    segment = b"\xff\xe1" + struct.pack(">H", len(thumbnail) + 2) + thumbnail
    whole = between_segments(segment, jpeg())
    assert kind_of(whole) is None
    assert kind_of(whole[:-2]) == "truncated"
    assert kind_of(between_segments(b"odd", whole)[:-2]) == "truncated"


def test_exif_data_after_bytes_between_segments_turn_the_picture() -> None:
    data = turned_jpeg()
    odd = data[:2] + b"\xff\xfe\0\2odd" + data[2:]
    assert decode(odd).shape == (48, 32, 3)
    assert np.array_equal(decode(odd), decode(data))
