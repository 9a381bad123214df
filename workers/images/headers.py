"""What a JPEG or PNG shows before it is decoded: its segments, and whether its end is missing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from workers.errors import ImageError

JPEG_MAGIC: Final = b"\xff\xd8\xff"
JPEG_END: Final = b"\xff\xd9"
PNG_MAGIC: Final = b"\x89PNG\r\n\x1a\n"
PNG_END: Final = b"IEND\xaeB`\x82"
APP1: Final = 0xE1  # EXIF data, or XMP
END: Final = 0xD9
SCAN: Final = 0xDA  # start of scan: the compressed pixels begin
FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # start of frame: has the size
PROGRESSIVE: Final = frozenset({0xC2, 0xC6, 0xCA, 0xCE})  # those of FRAMES
BARE: Final = frozenset({0x01, 0xD8, END})  # markers without a length (T.81, B.1.1.3)
DESCRIPTIVE: Final = frozenset({*range(0xE0, 0xF0), 0xFE})  # APPn and comments: no pixels
# As libjpeg looks for one: past what is none, a stuffed zero, fill bytes and restart markers.
MARKER: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")

MAX_READ_AHEAD: Final = 64  # bytes that a decoder holds and does not count: 8 in libjpeg
MAX_SEGMENTS: Final = 10_000  # if each were full, 655 MB of them


Segment = tuple[int, int, int]  # marker, where it begins, where the next may begin


def check_end(data: bytes, end: bytes, after: int = 0) -> None:
    """Raise ImageError for an image that has no `end`, from `after` on."""
    if not data.endswith(end) and data.find(end, after) < 0:
        # A decoder would fill the missing part with grey: a wrong result.
        raise ImageError("truncated", "the image is cut short; copy it again from its source")


def jpeg_size(data: bytes, header: Iterable[Segment]) -> tuple[int, int] | None:
    """Return width and height of a JPEG with these `segments`; None if none of them says it."""
    for marker, at, _ in header:
        if marker in FRAMES:
            return _number(data[at + 7 : at + 9]), _number(data[at + 5 : at + 7])
    return None


def segments(data: bytes, *, past_scan: bool = False) -> Iterator[Segment]:
    """Yield a JPEG's markers with where their segments begin and end, up to the first scan.

    With `past_scan` up to the end marker; restart markers are left out. Raise ImageError where
    there are more than MAX_SEGMENTS.
    """
    at = 2
    for _ in range(MAX_SEGMENTS):
        found = MARKER.search(data, at)
        if found is None:
            return
        at = found.start()
        marker = data[at + 1]
        end = at + 2 if marker in BARE else at + 2 + _number(data[at + 2 : at + 4])
        yield marker, at, end
        if marker == END or (marker == SCAN and not past_scan):
            return
        at = end
    raise ImageError(
        "too_complex", f"more than {MAX_SEGMENTS} segments; save it again with an image editor"
    )


def check_jpeg_end(data: bytes, header: list[Segment]) -> None:
    """Raise ImageError for a JPEG with these `segments` that has no end."""
    marker, at, _ = header[-1] if header else (END, 0, 0)
    # Past any thumbnail, which has an end marker of its own.
    check_end(data, JPEG_END, at if marker == SCAN else len(data))


def check_scans(data: bytes, header: list[Segment], most: int) -> None:
    """Raise ImageError for a JPEG with these `segments` that has more than `most` scans."""
    frame, frame_at = next(((name, at) for name, at, _ in header if name in FRAMES), (0, 0))
    scan_at = header[-1][1]
    components, in_scan = data[frame_at + 9 : frame_at + 10], data[scan_at + 4 : scan_at + 5]
    # After a sequential scan of all components, libjpeg takes no other: no need to look for one.
    if frame in PROGRESSIVE or in_scan < components:
        scans = (at for marker, at, _ in segments(data, past_scan=True) if marker == SCAN)
        if next(islice(scans, most, None), None):
            raise ImageError(
                "too_complex", f"more than {most} scans; save it again as a baseline JPEG"
            )


def without_oddities(data: bytes) -> bytes:
    """Return a JPEG without what libjpeg complains of in the headers of good files.

    Its scans are the same, its colours may not be: bytes between segments and all that describes
    the picture are left out, and the frequencies of a sequential scan are set to 0 to 63.
    """
    whole, header, scan, progressive = bytearray(data), [data[:2]], len(data), False
    for marker, at, end in segments(data, past_scan=True):
        progressive |= marker in PROGRESSIVE
        if marker == SCAN:
            scan = min(scan, at)
            if not progressive:
                whole[end - 3 : end] = b"\x00\x3f\x00"
        elif at < scan and marker not in DESCRIPTIVE:
            header.append(data[at:end])
    return b"".join([*header, whole[scan:]])


def is_padded(data: bytes, count: int) -> bool:
    """Return whether the `count` bytes too many before a JPEG's end are zeros or fill bytes.

    Not if there are many more zeros: a decoder has then taken some of them for pixels, so they are
    not padding but where data were lost.
    """
    ends = (at for marker, at, _ in segments(data, past_scan=True) if marker == END)
    whole = data[: next(ends, len(data))]
    padding = whole[len(whole.rstrip(b"\x00\xff")) :]
    return len(padding) >= count and padding.count(0) <= count + MAX_READ_AHEAD


def has_changed_line_ends(data: bytes) -> bool:
    """Return whether each LF follows a CR, as after a copy in text mode.

    Of each LF, that is so by chance once in 256 times.
    """
    return 0 < data.count(b"\n") == data.count(b"\r\n")


def _number(field: bytes) -> int:
    return int.from_bytes(field, "big")
