"""What the bytes of a JPEG or PNG tell before they are decoded: how large, and whether cut."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

JPEG_MAGIC: Final = b"\xff\xd8\xff"
JPEG_END: Final = b"\xff\xd9"
PNG_MAGIC: Final = b"\x89PNG\r\n\x1a\n"
PNG_END: Final = b"IEND\xaeB`\x82"
APP1: Final = 0xE1  # EXIF data, or XMP
SCAN: Final = 0xDA  # start of scan: the compressed pixels begin
FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # start of frame: has the size
BARE: Final = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length (T.81, B.1.1.3)


def is_cut(data: bytes) -> bool:
    """Whether the end of a JPEG or PNG is missing; False for anything else."""
    if data.startswith(JPEG_MAGIC):
        return not data.endswith(JPEG_END) and data.find(JPEG_END, _first_scan(data)) < 0
    if data.startswith(PNG_MAGIC):
        return PNG_END not in data[-64:] and PNG_END not in data
    return False


def size(data: bytes) -> tuple[int, int] | None:
    """Width and height as a JPEG's or PNG's header tells them; None for anything else."""
    if data.startswith(PNG_MAGIC):
        return _number(data[16:20]), _number(data[20:24])
    if data.startswith(JPEG_MAGIC):
        for marker, at in _segments(data):
            if marker in FRAMES:
                return _number(data[at + 7 : at + 9]), _number(data[at + 5 : at + 7])
    return None


def app1(data: bytes) -> bytes:
    """Give a JPEG's EXIF and XMP segments, whole, one after the other."""
    return b"".join(
        data[at : at + 2 + _number(data[at + 2 : at + 4])]
        for marker, at in _segments(data)
        if marker == APP1
    )


def _first_scan(data: bytes) -> int:
    """Where a JPEG's compressed pixels begin, past any thumbnail with an end marker of its own."""
    return next((at for marker, at in _segments(data) if marker == SCAN), len(data))


def _segments(data: bytes) -> Iterator[tuple[int, int]]:
    """A JPEG's markers and where they stand, up to the first scan."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        yield marker, at
        if marker == SCAN:
            return
        at += 2 if marker in BARE else 2 + _number(data[at + 2 : at + 4])


def _number(field: bytes) -> int:
    return int.from_bytes(field, "big")
