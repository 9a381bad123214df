"""Text for a terminal: escaped, in columns."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import struct
import termios

import pytest

from farm.system.terminal import UNKNOWN, UNLIMITED, columns, printable, width_of, wrapped


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


def test_columns_that_are_optional_go_one_after_the_other_until_the_table_fits() -> None:
    def heads(width: int) -> list[str]:
        (line,) = columns(["aa", "bb", "cc"], [], width=width, optional=("cc", "bb"))
        return line.split()

    assert [heads(width) for width in (10, 9, 6, 5, 1)] == [
        ["aa", "bb", "cc"], ["aa", "bb"], ["aa", "bb"], ["aa"], ["aa"]
    ]  # fmt: skip


def test_rows_one_by_one_have_the_columns_of_their_heads_whatever_is_in_them() -> None:
    heads, widest, longer = ["aa", "bb"], ["", ""], ["a", "b" * 20]
    lines = [columns(heads, rows, widest, width=6, optional=("bb",)) for rows in ([], [longer])]
    assert [len(each[-1].split()) for each in lines] == [2, 2]


def test_long_lines_are_wrapped_at_blanks_and_a_path_stays_whole() -> None:
    path = "/a" * 30
    assert wrapped(["short", f"two words {path} end"], 20) == [
        "short", f"two words {path}", "  end"
    ]  # fmt: skip
    assert wrapped([f"ok       model  {path} end"], 40, indent=16) == [
        f"ok       model  {path}", " " * 16 + "end"
    ]  # fmt: skip
    assert wrapped([f"{'word ' * 7}{path[:36]}"], 40) == ["word " * 6 + "word", f"  {path[:36]}"]


def test_what_is_no_terminal_has_no_width_and_a_terminal_its_own() -> None:
    assert width_of(io.StringIO()) == UNLIMITED
    here, there = pty.openpty()
    with os.fdopen(there, "w") as terminal:
        assert width_of(terminal) == UNKNOWN
        fcntl.ioctl(there, termios.TIOCSWINSZ, struct.pack("4H", 24, 120, 0, 0))
        assert width_of(terminal) == 120
    os.close(here)
