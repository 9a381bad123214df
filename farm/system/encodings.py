"""Text that is not UTF-8: files and how to convert them, and words of this program."""

from __future__ import annotations

import codecs
from typing import Final

BOM: Final = codecs.BOM_UTF8  # the mark that some editors put before UTF-8
# UTF-32 first: its little-endian mark begins with that of UTF-16.
_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_SAMPLE: Final = 4096


def utf8(words: str) -> str:
    """Return a text whose lone surrogates, as in names that are not UTF-8, are escaped.

    Strict parsers of JSON refuse them.
    """
    return words.encode("utf-8", "backslashreplace").decode()


def objection(data: bytes) -> str | None:
    """Return why a file that begins with `data` has no lines of UTF-8, and what to do; else None.

    Knows UTF-16 and UTF-32, with their mark or without.
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            return convert_from(name)
    # Of mostly Latin text in UTF-16, every other byte is 0.
    for first, name in ((0, "UTF-16BE"), (1, "UTF-16LE")):
        half, other = data[first:_SAMPLE:2], data[1 - first : _SAMPLE : 2]
        if len(half) > 1 and half.count(0) > len(half) // 2 and not other.count(0):
            return convert_from(name)
    return None


def convert_from(name: str) -> str:
    """Return an objection to the encoding that iconv calls `name`."""
    return f"it is {name}, not UTF-8; convert it: iconv -f {name} -t UTF-8 OLD > NEW"
