"""EXIF orientation, whole and broken: turned as cv2.imread turns it."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers.odd_images import jpeg
from tests.helpers.pixels import pixels
from workers.images import headers
from workers.images import orientation as exif
from workers.protocol.messages import Encoded

JPEG = jpeg()
ENTRY = "HHIHH"  # tag, type, count, value, and what fills it up to 4 bytes
ORIENTATION, DESCRIPTION, RESOLUTION = 0x0112, 0x010E, 0x011A
SHORT, TEXT, RATIO = 3, 2, 5
EIGHT = (ORIENTATION, SHORT, 1, 8, 0)


def tiff(*entries: tuple[int, ...], order: str = "<", count: int | None = None) -> bytes:
    """A TIFF header and a directory, which says it has `count` entries."""
    head = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(f"{order}I", 8)
    packed = b"".join(struct.pack(f"{order}{ENTRY}", *entry) for entry in entries)
    number = len(entries) if count is None else count
    return head + struct.pack(f"{order}H", number) + packed + bytes(4)


def segment(content: bytes, marker: int = 0xE1) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content


def holding(*segments: bytes) -> bytes:
    return JPEG[:2] + b"".join(segments) + JPEG[2:]


def exif_of(content: bytes) -> bytes:
    return segment(b"Exif\0\0" + content)


def by_opencv(data: bytes) -> npt.NDArray[Any]:
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("number", [*exif.ORIENTATIONS, 0, 9, 0x0600, 0xFFFF])
def test_every_orientation_is_that_of_imread(tmp_path: Path, number: int, order: str) -> None:
    data = holding(exif_of(tiff((ORIENTATION, SHORT, 1, number, 0), order=order)))
    path = tmp_path / "photo.jpg"
    path.write_bytes(data)
    assert np.array_equal(pixels(Encoded(data)), np.asarray(cv2.imread(str(path))))
    assert exif.orientation(data, list(headers.segments(data))) == (
        number if number in exif.ORIENTATIONS else exif.UPRIGHT
    )


BROKEN = {
    "nothing": b"",
    "half a header": b"II*",
    "no byte order": b"IM*\0" + tiff(EIGHT)[4:],
    "no TIFF": b"II+\0" + tiff(EIGHT)[4:],
    "a directory outside": b"II*\0" + struct.pack("<I", 9999) + tiff(EIGHT)[8:],
    "more entries than there are": tiff(EIGHT, count=9),
    "65535 entries": tiff(EIGHT, count=0xFFFF),
    "no entries": tiff(count=0),
    "half an entry": tiff(EIGHT)[:16],
    "a text outside, then the orientation": tiff((DESCRIPTION, TEXT, 99, 9999, 0), EIGHT),
    "the orientation, then a text outside": tiff(EIGHT, (DESCRIPTION, TEXT, 99, 9999, 0)),
    "a ratio outside, then the orientation": tiff((RESOLUTION, RATIO, 1, 9999, 0), EIGHT),
    "two orientations": tiff((ORIENTATION, SHORT, 1, 6, 0), EIGHT),
    "an orientation that is a text": tiff((ORIENTATION, TEXT, 1, 8, 0)),
    "eight orientations": tiff((ORIENTATION, SHORT, 8, 6, 6)),
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_broken_exif_data_mean_what_they_mean_to_opencv(content: bytes) -> None:
    data = holding(exif_of(content))
    assert np.array_equal(pixels(Encoded(data)), by_opencv(data))


XMP = segment(b"http://ns.adobe.com/xap/1.0/\0<x/>")
SIX, THREE = (exif_of(tiff((ORIENTATION, SHORT, 1, number, 0))) for number in (6, 3))


@pytest.mark.parametrize(
    "segments",
    [
        (XMP, SIX),
        (SIX, XMP),
        (SIX, THREE),
        (THREE, SIX),
        (segment(b"Exif"), SIX),
        (segment(b""), SIX),
        (segment(b"whatever", marker=0xED), SIX),
        (segment(SIX[4:], marker=0xE2),),
        (b"\xff\xff" + SIX,),
    ],
)
def test_of_several_segments_the_one_counts_that_opencv_takes(segments: tuple[bytes, ...]) -> None:
    data = holding(*segments)
    assert np.array_equal(pixels(Encoded(data)), by_opencv(data))


def test_where_opencv_can_not_read_the_file_there_is_no_orientation() -> None:
    data = holding(b"\xff\xe1\0\1")
    assert exif.orientation(data, list(headers.segments(data))) is None


entries = st.tuples(
    st.sampled_from([ORIENTATION, DESCRIPTION, RESOLUTION, 0x8769, 0x9C9B]),
    st.integers(0, 13),
    st.sampled_from([0, 1, 2, 5, 2**31, 2**32 - 1]),
    st.integers(0, 9) | st.integers(0, 0xFFFF),
    st.sampled_from([0, 1, 0xFFFF]),
)


@given(st.lists(entries, max_size=5), st.sampled_from("<>"), st.data())
def test_whatever_the_exif_data_are_the_pixels_are_opencvs(
    directory: list[tuple[int, ...]], order: str, drawn: st.DataObject
) -> None:
    content = bytearray(tiff(*directory, order=order))
    for _ in range(drawn.draw(st.integers(0, 2))):
        content[drawn.draw(st.integers(0, len(content) - 1))] = drawn.draw(st.integers(0, 255))
    data = holding(exif_of(bytes(content[: drawn.draw(st.integers(0, len(content)))])))
    assert np.array_equal(pixels(Encoded(data)), by_opencv(data))


@given(st.binary(max_size=60))
def test_rubbish_in_place_of_exif_data_is_no_error(rubbish: bytes) -> None:
    data = holding(exif_of(rubbish), segment(rubbish))
    assert np.array_equal(pixels(Encoded(data)), by_opencv(data))
