"""How large an image is by its header, and how large OpenCV reads one: without decoding it."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from typing import Final

from workers.images.headers import JPEG_MAGIC, PNG_MAGIC, jpeg_size, segments

Size = tuple[int, int]  # width, height

# Pixels in a row or a column. libpng's PNG_USER_WIDTH_MAX, libjpeg's JPEG_MAX_DIMENSION, and of
# every other format OpenCV's CV_IO_MAX_IMAGE_WIDTH.
MAX_SIDES: Final = {PNG_MAGIC: 1_000_000, JPEG_MAGIC: 65_500}
MAX_SIDE: Final = 1 << 20


def max_side(data: bytes) -> int:
    """Return how many pixels a row or a column may have in a file's format."""
    return next((most for magic, most in MAX_SIDES.items() if data.startswith(magic)), MAX_SIDE)


def size(data: bytes) -> Size | None:
    """Return width and height by an image file's header; None where it has none or is broken."""
    for magic, read in READERS:
        if found := magic.match(data):
            return read(data, found)
    return None


def _png(data: bytes, _: re.Match[bytes]) -> Size | None:
    whole = zlib.crc32(data[12:29]) == big(data[29:33])
    return (big(data[16:20]), big(data[20:24])) if whole else None


def _tiff(data: bytes, _: re.Match[bytes]) -> Size | None:
    order = big if data.startswith(b"MM") else little
    at = order(data[4:8])
    sides = {256: 0, 257: 0}  # the tags ImageWidth and ImageLength
    for entry in range(at + 2, at + 2 + 12 * order(data[at : at + 2]), 12):
        if (tag := order(data[entry : entry + 2])) in sides:
            short = order(data[entry + 2 : entry + 4]) == 3
            sides[tag] = order(data[entry + 8 : entry + (10 if short else 12)])
    return (sides[256], sides[257]) if all(sides.values()) else None


def _webp(data: bytes, found: re.Match[bytes]) -> Size | None:
    if found[1] == b"X":
        return little(data[24:27]) + 1, little(data[27:30]) + 1
    if found[1] == b"L":
        bits = little(data[21:25])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return little(data[26:28]) & 0x3FFF, little(data[28:30]) & 0x3FFF


def big(field: bytes) -> int:
    """Read a number whose first byte is the most significant."""
    return int.from_bytes(field, "big")


def little(field: bytes) -> int:
    """Read a number whose last byte is the most significant."""
    return int.from_bytes(field, "little")


def signed(field: bytes) -> int:
    """Read a little-endian number without its sign: the height of a BMP may be negative."""
    return abs(int.from_bytes(field, "little", signed=True))


Reader = Callable[[bytes, re.Match[bytes]], Size | None]
READERS: Final[tuple[tuple[re.Pattern[bytes], Reader], ...]] = tuple(
    (re.compile(pattern, re.DOTALL), read)
    for pattern, read in (
        (re.escape(JPEG_MAGIC), lambda data, _: jpeg_size(data, segments(data))),
        (re.escape(PNG_MAGIC), _png),
        (rb"II\*\x00|MM\x00\*", _tiff),
        (rb"RIFF....WEBPVP8([ LX])", _webp),
        (rb"GIF8[79]a", lambda data, _: (little(data[6:8]), little(data[8:10]))),
        (rb"BM.{12}\x0c", lambda data, _: (little(data[18:20]), little(data[20:22]))),
        (rb"BM", lambda data, _: (signed(data[18:22]), signed(data[22:26]))),
        (rb"\x59\xa6\x6a\x95", lambda data, _: (big(data[4:8]), big(data[8:12]))),
        # Of JPEG 2000 the image's header, or that of the code stream; of AVIF a property.
        (rb"\x00\x00\x00\x0cjP  .{0,200}?ihdr(....)(....)", lambda _, m: (big(m[2]), big(m[1]))),
        (rb"\xff\x4f\xff\x51....(....)(....)", lambda _, m: (big(m[1]), big(m[2]))),
        (rb"....ftyp.{0,1000}?ispe....(....)(....)", lambda _, m: (big(m[1]), big(m[2]))),
        (rb"P[1-6]\s(?:\s|#[^\n]*\n)*(\d{1,9})\s+(\d{1,9})\s", lambda _, m: (int(m[1]), int(m[2]))),
        (rb"P7.{0,200}?WIDTH (\d{1,9})\nHEIGHT (\d{1,9})\n", lambda _, m: (int(m[1]), int(m[2]))),
        (rb"#\?R.{0,1000}?\n-Y (\d{1,9}) \+X (\d{1,9})\n", lambda _, m: (int(m[2]), int(m[1]))),
    )
)
