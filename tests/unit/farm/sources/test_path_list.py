"""List files as people have them: read, or refused with what they are."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from farm.errors import SourceError
from farm.sources.lines import HEAD_BYTES
from farm.sources.path_list import PathList
from tests.helpers.sources import touch

CAFE = "caf\u00e9.jpg"


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is not the current one."""
    (current,) = touch(tmp_path, "current/x")
    monkeypatch.chdir(current.parent)
    folder = tmp_path / "lists"
    folder.mkdir()
    return folder


def written(folder: Path, content: bytes) -> str:
    (folder / "list.txt").write_bytes(content)
    return str(folder / "list.txt")


def test_a_list_file_is_read_anew_each_time(tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_bytes(b"/a.jpg\r\n\n/b.jpg")
    listed = PathList(str(file))
    assert list(listed) == [b"/a.jpg", b"/b.jpg"]
    file.write_bytes(b"/c.jpg\n")
    assert list(listed) == [b"/c.jpg"]


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def rewritten(file: Path) -> None:
    """As `ls > list.txt` does: of the same length, as it happens."""
    file.write_bytes(file.read_bytes().replace(b"jpg", b"png"))


def appended(file: Path) -> None:
    with file.open("ab") as more:
        more.write(b"/more.jpg\n")


@pytest.mark.parametrize("change", [emptied, rewritten, appended])
def test_a_list_that_is_written_to_while_it_is_read_is_not_half_done_in_silence(
    tmp_path: Path, change: Callable[[Path], None]
) -> None:
    file = tmp_path / "list.txt"
    file.write_bytes(b"/a.jpg\n" * 50_000)
    os.utime(file, (1, 1))  # a kernel's clock may stand still for 10 ms
    paths = iter(PathList(str(file)))
    assert next(paths) == b"/a.jpg"
    change(file)
    with pytest.raises(SourceError, match=r"list\.txt: it was written to while it was read"):
        list(paths)


def test_a_new_list_in_the_place_of_one_that_is_read_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_bytes(b"/a.jpg\n" * 50_000)
    paths = iter(PathList(str(file)))
    assert next(paths) == b"/a.jpg"
    (tmp_path / "new").write_bytes(b"/b.jpg\n")
    (tmp_path / "new").rename(file)
    assert list(paths) == [b"/a.jpg"] * 49_999


@pytest.mark.parametrize("read", [PathList.open, lambda file: list(PathList(file))])
def test_a_list_file_that_is_removed_meanwhile_is_named(tmp_path: Path, read: object) -> None:
    assert callable(read)
    with pytest.raises(SourceError, match=r"gone\.txt: can't be read: No such"):
        read(str(tmp_path / "gone.txt"))


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf/a.jpg\n/caf\xe9.jpg\n",
        b"\xef\xbb\xbf/a.jpg\r\n/caf\xe9.jpg",
        b"\n\n/a.jpg\n\r\n/caf\xe9.jpg\n",
    ],
)
def test_a_sound_list_has_its_paths(tmp_path: Path, content: bytes) -> None:
    assert list(PathList.open(written(tmp_path, content))) == [b"/a.jpg", b"/caf\xe9.jpg"]


@pytest.mark.parametrize(
    ("content", "fact"),
    [
        (b"", "no images in it"),
        (b"\xef\xbb\xbf\n\r\n", "no images in it"),
        ("/a.jpg\n/b.jpg\n".encode("utf-16"), "UTF-16"),
        ("/a.jpg\r\n/b.jpg\r\n".encode("utf-16-le"), "UTF-16LE"),
        (b"./a.jpg\0./b.jpg\0", "-print0"),
        (b"/a.jpg\r/b.jpg\r", "CR"),
        (b"x" * HEAD_BYTES + b"\n/a.jpg", "its first line"),
    ],
)
def test_another_file_is_refused_with_what_it_is(tmp_path: Path, content: bytes, fact: str) -> None:
    file = written(tmp_path, content)
    with pytest.raises(SourceError) as caught:
        PathList.open(file)
    assert str(caught.value).startswith(f"{file}: ")
    assert fact in str(caught.value)


@pytest.mark.parametrize("current", [True, False])
def test_a_list_in_another_encoding_than_the_names_is_refused(
    elsewhere: Path, current: bool
) -> None:
    touch(Path.cwd() if current else elsewhere, CAFE)
    file = written(elsewhere, CAFE.encode("latin-1"))
    with pytest.raises(SourceError, match="WINDOWS-1252"):
        PathList.open(file)
    touch(elsewhere, os.fsdecode(CAFE.encode("latin-1")))
    touch(Path.cwd(), os.fsdecode(CAFE.encode("latin-1")))
    assert list(PathList.open(file)) == [CAFE.encode("latin-1")]


def test_relative_paths_are_from_the_current_folder_if_they_are_there(
    elsewhere: Path, caplog: pytest.LogCaptureFixture
) -> None:
    touch(elsewhere, "b.jpg", "c.jpg")
    touch(Path.cwd(), "b.jpg")
    file = written(elsewhere, b"gone.jpg\nb.jpg\nc.jpg\n")
    assert list(PathList.open(file)) == [b"gone.jpg", b"b.jpg", b"c.jpg"]
    assert caplog.messages == []


def test_else_from_the_lists_folder_and_that_is_said_once(
    elsewhere: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    touch(elsewhere, "b.jpg")
    file = written(elsewhere, b"/a.jpg\ngone.jpg\nb.jpg\n")
    folder = os.fsencode(elsewhere)
    paths = [b"/a.jpg", folder + b"/gone.jpg", folder + b"/b.jpg"]
    assert list(PathList.open(file)) == list(PathList.open(file)) == paths
    assert [message.startswith(f"{file}: ") for message in caplog.messages] == [True]


def test_paths_that_are_nowhere_stay_as_they_are(elsewhere: Path) -> None:
    assert list(PathList.open(written(elsewhere, b"a.jpg\nb.jpg"))) == [b"a.jpg", b"b.jpg"]


def test_a_long_list_is_not_read_for_its_beginning(tmp_path: Path) -> None:
    names = [f"/{'x' * 100}/{number}.jpg".encode() for number in range(HEAD_BYTES // 50)]
    file = written(tmp_path, b"\n".join([*names, b"/late\0.jpg"]))
    assert list(PathList.open(file)) == [*names, b"/late\0.jpg"]


def test_of_a_long_line_only_the_beginning_is_read(tmp_path: Path) -> None:
    file = written(tmp_path, b"/a.jpg\n" + b"x" * 5_000_000 + b"\n/b.jpg\n")
    tracemalloc.start()
    first, cut, last = PathList.open(file)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (first, last) == (b"/a.jpg", b"/b.jpg")
    assert cut == b"x" * HEAD_BYTES
    assert peak < 10 * HEAD_BYTES
