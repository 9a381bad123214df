"""Encodings other than UTF-8 are named; what may be UTF-8 or raw bytes is not."""

from __future__ import annotations

import codecs

import pytest

from farm.system.encodings import BOM, objection

TEXT = "photos/a.jpg\nphotos/b.jpg\n"


@pytest.mark.parametrize("length", [1, 2, 3, 4096, 100_000])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf_16_and_32_are_named(encoding: str, length: int) -> None:
    data = (length * TEXT).encode(encoding)
    said = objection(data)
    assert said is not None
    assert encoding.upper().replace("16-", "16") in said
    assert "iconv" in said


@pytest.mark.parametrize("mark", [codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE])
def test_a_mark_alone_is_enough(mark: bytes) -> None:
    assert objection(mark) is not None


@pytest.mark.parametrize(
    "data",
    [b"", b"a", b"\0", BOM, BOM + TEXT.encode(), TEXT.encode(), b"/caf\xe9\n", b"./a\0./b\0./c\0"],
)
def test_other_content_is_left_to_its_reader(data: bytes) -> None:
    assert objection(data) is None
