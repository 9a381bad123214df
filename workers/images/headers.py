"""What a JPEG or PNG shows before it is decoded: its size, and whether its end is missing."""

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
    """Return whether the end of a JPEG or PNG is missing; False for anything else."""
    if data.startswith(JPEG_MAGIC):
        # Past any thumbnail, which has an end marker of its own.
        scan = next((at for marker, at, _ in segments(data) if marker == SCAN), len(data))
        return not data.endswith(JPEG_END) and data.find(JPEG_END, scan) < 0
    if data.startswith(PNG_MAGIC):
        return PNG_END not in data[-64:] and PNG_END not in data
    return False


def size(data: bytes) -> tuple[int, int] | None:
    """Return width and height by a JPEG's or PNG's header; None for anything else."""
    if data.startswith(PNG_MAGIC):
        return _number(data[16:20]), _number(data[20:24])
    if data.startswith(JPEG_MAGIC):
        for marker, at, _ in segments(data):
            if marker in FRAMES:
                return _number(data[at + 7 : at + 9]), _number(data[at + 5 : at + 7])
    return None


def segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield a JPEG's markers with where their segments begin and end, up to the first scan."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        end = at + 2 if marker in BARE else at + 2 + _number(data[at + 2 : at + 4])
        yield marker, at, end
        if marker == SCAN:
            return
        at = end


def _number(field: bytes) -> int:
    return int.from_bytes(field, "big")
