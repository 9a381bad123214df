"""Which of libjpeg's complaints mean broken pixels; and that no sane encoder's JPEG is refused."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
import simplejpeg

from tests.helpers.odd_images import (
    ARITHMETIC,
    ARITHMETIC_PROGRESSIVE,
    JPEG_END,
    between_segments,
    encoded,
    hollow_jpeg,
    jpeg,
    picture,
    turned_jpeg,
    zeroed_jpeg,
)
from tests.helpers.pixels import decode
from workers.errors import ImageError

Change = Callable[[bytes], bytes]


def compressed(*flags: int, size: int = 240) -> bytes:
    return cv2.imencode(".jpg", picture(size, size), list(flags))[1].tobytes()


def by_opencv(data: bytes) -> Any:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)


def complaint(data: bytes) -> str:
    try:
        simplejpeg.decode_jpeg(data)
    except ValueError as error:
        return str(error)
    return ""


def refusal(data: bytes) -> str | None:
    try:
        decode(data)
    except ImageError as error:
        return str(error) if error.kind == "damaged" else None
    return None


RESTARTS = compressed(cv2.IMWRITE_JPEG_RST_INTERVAL, 3)
PROGRESSIVE = compressed(cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
SCAN = RESTARTS.index(b"\xff\xda")
KINDS = {"baseline": compressed(), "restarts": RESTARTS, "progressive": PROGRESSIVE}


@pytest.mark.parametrize("size", [16, 48, 240])
@pytest.mark.parametrize("quality", [50, 90])
@pytest.mark.parametrize("fast", [None, (8, 8)])
def test_line_ends_that_a_text_copy_changed_are_damage(
    size: int, quality: int, fast: tuple[int, int] | None
) -> None:
    data = compressed(cv2.IMWRITE_JPEG_QUALITY, quality, size=size).replace(b"\n", b"\r\n")
    with pytest.raises(ImageError, match="CR LF") as caught:
        decode(data, fast)
    assert caught.value.kind == "damaged"


def test_line_ends_changed_in_the_header_alone_are_damage() -> None:
    """libjpeg complains of one byte too many after tables that are wrong now."""
    data = jpeg()
    at = data.index(b"\xff\xda")
    changed = data[:at].replace(b"\n", b"\r\n") + data[at:].replace(b"\n", b"\x0b")
    assert "extraneous" in complaint(changed)
    assert refusal(changed)


def test_line_ends_are_named_where_libjpeg_finds_no_picture_either() -> None:
    segment = b"\xff\xfe\0\x0c" + b"\n" * 4 + b"\xff\x6d" * 3
    changed = between_segments(segment, jpeg()).replace(b"\n", b"\r\n")
    assert by_opencv(changed) is None
    assert "CR LF" in (refusal(changed) or "")


@pytest.mark.parametrize(("at", "value"), [(4, 12), (1, 0xC5)])
def test_a_kind_of_jpeg_that_libjpeg_does_not_read_is_not_called_damaged(
    at: int, value: int
) -> None:
    """12 bits; hierarchical."""
    data = bytearray(jpeg())
    data[data.index(b"\xff\xc0") + at] = value
    with pytest.raises(ImageError) as caught:
        decode(bytes(data))
    assert caught.value.kind == "not_an_image"


@pytest.mark.parametrize("number", range(8))
def test_each_restart_marker_that_is_lost_is_damage(number: int) -> None:
    assert refusal(RESTARTS) is None
    at = RESTARTS.index(bytes([0xFF, 0xD0 + number]), SCAN)
    assert refusal(RESTARTS[:at] + RESTARTS[at + 2 :])
    assert refusal(RESTARTS[:at] + b"\x11\x22" + RESTARTS[at + 2 :])


@pytest.mark.parametrize("number", range(8))
def test_a_restart_marker_is_damage_in_a_scan_and_not_in_the_header(number: int) -> None:
    marker, data = bytes([0xFF, 0xD0 + number]), jpeg()
    for put in (marker, b"odd" + marker, b"odd" + marker + b"odd"):
        odd = between_segments(put, data)
        assert np.array_equal(decode(odd), by_opencv(data))
    middle = len(data) - 200
    assert refusal(data[:middle] + marker + data[middle:])


@pytest.mark.parametrize("data", KINDS.values(), ids=KINDS)
def test_wherever_libjpeg_complains_of_changed_bytes_it_is_damage(data: bytes) -> None:
    scan, told = data.index(b"\xff\xda") + 14, 0
    for at in range(scan, len(data) - 10, 97):
        changed = data[:at] + b"\x5a\xa5\x5a\xa5" + data[at + 4 :]
        assert bool(complaint(changed)) == bool(refusal(changed))
        told += bool(complaint(changed))
    assert told > 30


@pytest.mark.parametrize("data", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("put", [b"odd bytes" * 9, b"\x11" * 40])
def test_bytes_before_the_end_that_are_no_padding_are_damage(data: bytes, put: bytes) -> None:
    assert refusal(data[:-2] + put + JPEG_END)


PADDING = [bytes(9), bytes(70_000), b"\xff" * 99, b"\xff\0" * 99, bytes(9) + b"\xff" * 9]


@pytest.mark.parametrize("data", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("padding", PADDING, ids=range(len(PADDING)))
def test_padding_before_the_end_is_read(data: bytes, padding: bytes) -> None:
    padded = data[:-2] + padding + JPEG_END
    assert np.array_equal(decode(padded), by_opencv(data))
    assert np.array_equal(decode(between_segments(b"odd", padded)), by_opencv(data))


def test_zeros_that_were_taken_for_pixels_are_not_padding() -> None:
    assert "before marker 0xd9" in complaint(zeroed_jpeg())
    assert by_opencv(zeroed_jpeg()).shape == (240, 320, 3)
    assert refusal(zeroed_jpeg())


def test_a_scan_that_is_missing_among_others_is_damage() -> None:
    """What refines it has nothing to refine: libjpeg speaks of an inconsistent progression."""
    first = PROGRESSIVE.index(b"\xff\xda")
    second = PROGRESSIVE.index(b"\xff\xc4", first)
    third = PROGRESSIVE.index(b"\xff\xc4", PROGRESSIVE.index(b"\xff\xda", second))
    hollow = PROGRESSIVE[:second] + PROGRESSIVE[third:]
    assert "progression" in complaint(hollow)
    assert refusal(hollow)


ICC = b"\xff\xe2\0\x12ICC_PROFILE\0\x02\x09ab"
JFIF = jpeg()[2:20]
ADOBE = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\x07"
ODDITIES: dict[str, Change] = {
    "bytes between segments": lambda data: between_segments(b"odd", data),
    "bytes before the scan": lambda data: data.replace(b"\xff\xda", b"odd\xff\xda", 1),
    "a part of a colour profile": lambda data: between_segments(ICC, data),
    "a version of JFIF to come": lambda data: data.replace(b"JFIF\0\x01", b"JFIF\0\x09"),
    "a colour transform to come": lambda data: data.replace(JFIF, ADOBE),
    "a scan of frequencies 0 to 0": lambda data: data.replace(b"\0\x3f\0", b"\0\0\0", 1),
    "all of them": lambda data: between_segments(
        b"odd" + ICC + b"odd", data.replace(b"JFIF\0\x01", b"JFIF\0\x09")
    ),
}


@pytest.mark.parametrize("change", ODDITIES.values(), ids=ODDITIES)
def test_what_is_odd_in_a_header_hides_no_damage(change: Change) -> None:
    for whole in (jpeg(), turned_jpeg()):
        assert complaint(change(whole))
        assert np.array_equal(decode(change(whole)), by_opencv(change(whole)))
    for broken in (hollow_jpeg(), jpeg()[:-50] + JPEG_END, jpeg()[:-2] + b"odd" * 9 + JPEG_END):
        assert refusal(change(broken))


def exif(data: bytes) -> bytes:
    """A segment with a thumbnail."""
    held = b"Exif\0\0" + data
    return b"\xff\xe1" + struct.pack(">H", len(held) + 2) + held


def profile(parts: int) -> bytes:
    """A colour profile in several segments."""
    parts_of = (b"ICC_PROFILE\0" + bytes([n + 1, parts]) + bytes(60_000) for n in range(parts))
    return b"".join(b"\xff\xe2" + struct.pack(">H", len(part) + 2) + part for part in parts_of)


FLAGS = {
    "progressive": (cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    "optimised": (cv2.IMWRITE_JPEG_OPTIMIZE, 1),
    "all": (cv2.IMWRITE_JPEG_PROGRESSIVE, 1, cv2.IMWRITE_JPEG_OPTIMIZE, 1),
    "restart at each block": (cv2.IMWRITE_JPEG_RST_INTERVAL, 1),
    "restart at 7 blocks": (cv2.IMWRITE_JPEG_RST_INTERVAL, 7, cv2.IMWRITE_JPEG_OPTIMIZE, 1),
    "two qualities": (cv2.IMWRITE_JPEG_LUMA_QUALITY, 30, cv2.IMWRITE_JPEG_CHROMA_QUALITY, 95),
}


def four_rows_to_one() -> bytes:
    """A grey 8x32 JPEG with one Cb and one Cr to 1x4 of its Y blocks: 4:4:1."""
    data = encoded(".jpg", np.full((32, 8, 3), 128, np.uint8))
    frame, scan = data.index(b"\xff\xc0"), data.index(b"\xff\xda")
    # Four Y blocks 00 1010 (no difference, end of block), two of colour 00 00.
    nothing = bytes.fromhex("28a28a00")
    return data[: frame + 11] + b"\x14" + data[frame + 12 : scan + 14] + nothing + JPEG_END


PACKED = {
    f"{sampling} {fast}": simplejpeg.encode_jpeg(
        picture(61, 47), colorspace="BGR", colorsubsampling=sampling, fastdct=fast
    )
    for sampling in ("444", "422", "420", "440", "411", "Gray")
    for fast in (True, False)
}
SANE = {
    **{name: compressed(*flags, size=61) for name, flags in FLAGS.items()},
    **PACKED,
    "441": four_rows_to_one(),
    "arithmetic": ARITHMETIC,
    "arithmetic, progressive": ARITHMETIC_PROGRESSIVE,
    "thumbnail": between_segments(exif(encoded(".jpg", picture(16, 16))), jpeg()),
    "colour profile": between_segments(profile(3), jpeg()),
    "comment": between_segments(b"\xff\xfe\0\7hello", jpeg()),
    "several pictures (MPO)": between_segments(b"\xff\xe2\0\6MPF\0", jpeg()) + bytes(9) + jpeg(),
    "film after it": jpeg() + b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 99,
    "fill bytes": jpeg().replace(b"\xff\xdb", b"\xff" * 9 + b"\xdb"),
}


@pytest.mark.parametrize("data", SANE.values(), ids=SANE)
def test_what_sane_encoders_write_is_read_as_opencv_reads_it(data: bytes) -> None:
    expected = by_opencv(data)
    if expected is None:  # OpenCV may be built without arithmetic coding
        assert data in (ARITHMETIC, ARITHMETIC_PROGRESSIVE)
    else:
        assert np.array_equal(decode(data), expected)
