"""Paths one a line, in parts as they come."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from farm.errors import SourceError
from farm.sources.lines import LineSource, PathList
from tests.helpers.sources import refs, take_all

Pipe = tuple[LineSource, io.FileIO]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    reader, writer = os.pipe()
    with open(reader, "rb"), open(writer, "wb", buffering=0) as file:
        yield LineSource(reader), file


def test_lines_that_come_in_parts_are_put_together(pipe: Pipe) -> None:
    source, writer = pipe
    writer.write(b"/a.j")
    assert source.take(5) == []
    writer.write(b"pg\r\n\n/b.jpg\n/c")
    assert source.take(5) == refs("/a.jpg", "/b.jpg")
    writer.write(b".jpg\n")
    assert source.take(5) == refs("/c.jpg")
    assert not source.exhausted


def test_a_last_line_without_an_end_is_given(pipe: Pipe) -> None:
    source, writer = pipe
    writer.write(b"/a.jpg\n/b.jpg")
    writer.close()
    assert take_all(source) == refs("/a.jpg", "/b.jpg")


def test_with_nothing_there_yet_nothing_is_given_and_more_may_come(pipe: Pipe) -> None:
    source, writer = pipe
    assert source.take(5) == []
    assert not source.exhausted
    assert len(source.fds) == 1
    writer.write(b"/a.jpg\n")
    assert source.take(5) == refs("/a.jpg")


def test_a_closed_pipe_is_exhausted_once_it_is_read(pipe: Pipe) -> None:
    source, writer = pipe
    writer.close()
    assert source.take(5) == []
    assert source.exhausted


def test_lines_beyond_what_was_asked_for_are_kept(pipe: Pipe) -> None:
    source, writer = pipe
    writer.write(b"/1\n/2\n/3\n")
    writer.close()
    assert source.take(2) == refs("/1", "/2")
    assert not source.exhausted
    assert source.take(2) == refs("/3")
    assert source.take(2) == []
    assert source.exhausted


def test_lines_that_are_not_utf8_keep_their_bytes(pipe: Pipe) -> None:
    source, writer = pipe
    writer.write(b"/caf\xe9\xff.jpg\n")
    assert source.take(1) == refs(b"/caf\xe9\xff.jpg")


def test_a_file_on_standard_input_is_read_to_its_end(tmp_path: Path) -> None:
    names = [f"/{'x' * 100}/{number}.jpg" for number in range(2000)]
    (tmp_path / "list").write_text("\n".join(names))
    with (tmp_path / "list").open("rb") as file:
        assert take_all(LineSource(file.fileno()), 64) == refs(*names)


def test_a_list_file_is_read_anew_each_time(tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_bytes(b"/a.jpg\r\n\n/b.jpg")
    listed = PathList(str(file))
    assert list(listed) == [b"/a.jpg", b"/b.jpg"]
    file.write_bytes(b"/c.jpg\n")
    assert list(listed) == [b"/c.jpg"]


def test_a_list_file_that_is_removed_meanwhile_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"gone\.txt"):
        list(PathList(str(tmp_path / "gone.txt")))
