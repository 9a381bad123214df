"""The table of bad lists and labels in docs/reliability.md, row by row."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from farm.config.labels import Labels
from farm.errors import FarmError
from farm.sources.files import open_targets
from farm.sources.lines import LineSource
from tests.helpers.sources import take_all, touch
from tests.helpers.support import ROOT

DOCUMENT = (ROOT / "docs" / "reliability.md").read_text()
TABLE = DOCUMENT.partition("## Bad lists and labels")[2].partition("\n## ")[0]
READ: Final = "read"
PATHS: Final = "/a.jpg\n/b.jpg\n"
NAMES: Final = "tench, Tinca tinca\ncaf\u00e9\nshark\n"
LATIN: Final = "caf\u00e9.jpg".encode("latin-1")


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    given: str
    seen: str
    exit_code: int


ROWS = [
    Row(given, seen.strip("`"), int(code))
    for given, seen, code in re.findall(r"^\| (.+) \| (.+) \| (\d) \|$", TABLE, re.M)
]


def listed(content: bytes, name: str = "list.txt") -> Callable[[Path], None]:
    def read(folder: Path) -> None:
        (folder / name).write_bytes(content)
        assert open_targets([str(folder / name)], times=1).take(9)

    return read


def piped(content: bytes) -> Callable[[Path], None]:
    def read(folder: Path) -> None:
        (folder / "list").write_bytes(content)
        with (folder / "list").open("rb") as file:
            take_all(LineSource(file.fileno()))

    return read


def labelled(content: bytes | str, name: str = "labels.txt") -> Callable[[Path], None]:
    def read(folder: Path) -> None:
        data = content.encode() if isinstance(content, str) else content
        (folder / name).write_bytes(data)
        assert Labels.load(folder / name).names == ("tench, Tinca tinca", "caf\u00e9", "shark")

    return read


def labelled_by_a_pipe(folder: Path) -> None:
    os.mkfifo(folder / "labels.txt")  # nobody writes to it: reading would never end
    Labels.load(folder / "labels.txt")


def beside(folder: Path) -> None:
    (photo,) = touch(folder, "photos/a.jpg")
    (folder / "list.txt").write_text("photos/a.jpg\n")
    (ref,) = open_targets([str(folder / "list.txt")], times=1).take(9)
    assert getattr(ref, "path", None) == os.fsencode(photo)


def recoded(folder: Path) -> None:
    touch(folder, "caf\u00e9.jpg")
    listed(LATIN)(folder)


def bracketed(pattern: str) -> Callable[[Path], None]:
    def read(folder: Path) -> None:
        touch(folder, "[2024] trip/a.jpg")
        assert open_targets([str(folder / pattern)], times=1).total == 1

    return read


def numbered(first: int, separator: str = " ", head: str = "") -> str:
    lines = (f"{n}{separator}{name}\n" for n, name in enumerate(NAMES.splitlines(), start=first))
    return head + "".join(lines)


def counted(count: int, classes: int) -> Callable[[Path], None]:
    return lambda folder: Labels(folder, ("x",) * count).check(classes)


INPUTS: Final[dict[str, Callable[[Path], None]]] = {
    "list with a byte order mark": listed(b"\xef\xbb\xbf" + PATHS.encode()),
    "list with Windows line ends": listed(PATHS.replace("\n", "\r\n").encode()),
    "list named `.TXT` or `.lst`": listed(PATHS.encode(), "list.lst"),
    "list whose relative paths are beside it": beside,
    "folder named like a pattern, `[2024] trip/*.jpg`": bracketed("[2024] trip/*.jpg"),
    "empty list": listed(b"\n\n"),
    "list in UTF-16": listed(PATHS.encode("utf-16")),
    "list in Latin-1 of names in UTF-8": recoded,
    "list of `find -print0`": listed(b"/a.jpg\0/b.jpg\0"),
    "empty list on standard input": piped(b"\n"),
    "list whose first line never ends": piped(b"x" * 70_000),
    "list with a line that is longer than any path": listed(b"/a.jpg\n" + b"x" * 70_000 + b"\n"),
    "list with CR alone as line end": listed(PATHS.replace("\n", "\r").encode()),
    "glob with brackets that matches nothing": bracketed("[2025] trip/*.jpg"),
    "labels with a byte order mark": labelled(f"\ufeff{NAMES}"),
    "labels with Windows line ends": labelled(NAMES.replace("\n", "\r\n")),
    "labels with empty lines at the end": labelled(f"{NAMES}\n\n"),
    "labels as `0 name` lines, in any order": labelled(
        "2 shark\n0 tench, Tinca tinca\n1 caf\u00e9"
    ),
    "labels as `n01440764 name` lines": labelled(NAMES.replace("tench,", "n01440764 tench,")),
    "labels as a JSON list": labelled(json.dumps(NAMES.splitlines())),
    "labels as a JSON map": labelled(json.dumps(dict(enumerate(NAMES.splitlines())))),
    "`names` of a `.yaml` file": labelled(
        "names:\n  0: tench, Tinca tinca\n  1: caf\u00e9\n  2: shark\n", "data.yaml"
    ),
    "labels that are a pipe": labelled_by_a_pipe,
    "empty labels": labelled("\n"),
    "labels with an empty line in the middle": labelled(NAMES.replace("caf\u00e9", "")),
    "labels with a comment": labelled(f"# of ImageNet\n{NAMES}"),
    "labels numbered from 1": labelled(numbered(1)),
    "labels with a number twice": labelled(numbered(0) + "2 whale\n"),
    "labels with a number left out": labelled(numbered(0) + "7 whale\n"),
    "labels of which one has no number": labelled(numbered(0) + "whale\n"),
    "labels as a table": labelled(numbered(0, ",", "id,name\n"), "labels.csv"),
    "labels as a Python dict": labelled("{0: 'tench', 1: 'shark'}"),
    "labels as TensorFlow's `.pbtxt`": labelled("item {\n  id: 1\n}", "labels.pbtxt"),
    "labels in UTF-16": labelled(NAMES.encode("utf-16")),
    "labels in Latin-1": labelled(NAMES.encode("latin-1")),
    "labels that are a Git LFS pointer": labelled("version https://git-lfs.github.com/spec/v1\n"),
    "labels that are a web page": labelled("<!DOCTYPE html>\n"),
    "labels with a name of more than 1000 characters": labelled(NAMES + "x" * 1001),
    "1000 labels for 1001 classes": counted(1000, 1001),
    "labels of another count than the classes": counted(3, 4),
}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.given)
def test_a_row_of_the_table_is_what_the_user_sees(
    row: Row, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (current,) = touch(tmp_path, "current/x")
    monkeypatch.chdir(current.parent)
    if row.seen == READ:
        assert row.exit_code == 0
        INPUTS[row.given](tmp_path)
        return
    with pytest.raises(FarmError) as caught:
        INPUTS[row.given](tmp_path)
    assert row.seen in str(caught.value)
    assert row.exit_code == caught.value.exit_code


def test_the_table_has_every_input() -> None:
    assert [row.given for row in ROWS] == list(INPUTS)
