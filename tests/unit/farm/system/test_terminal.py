"""Text for a terminal: escaped, in columns."""

from __future__ import annotations

import os

import pytest

from farm.system.terminal import columns, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text.jpg", "plain text.jpg"),
        ("größe 猫 é.jpg", "größe 猫 é.jpg"),
        ("", ""),
        ("a\nb\tc\rd", r"a\nb\tc\rd"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("bell\x07 null\x00 del\x7f", r"bell\x07 null\x00 del\x7f"),
        ("c1 \x9b31m", r"c1 \x9b31m"),
        ("right to left \u202egpj.exe", r"right to left \u202egpj.exe"),
        ("line\u2028separator", r"line\u2028separator"),
        (os.fsdecode(b"caf\xe9"), r"caf\udce9"),
        ("private \U000f0000", r"private \U000f0000"),
    ],
)
def test_control_characters_and_stray_bytes_are_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable(text).isprintable()


def test_columns_are_aligned_and_end_without_blanks() -> None:
    assert columns(["name", "n"], [["a", "1"], ["longer", "200"]]) == [
        "name      n",
        "a         1",
        "longer  200",
    ]
    assert columns(["name"], [["a"]]) == ["name", "a"]
