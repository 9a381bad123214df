"""Paths one a line, in parts as they come."""

from __future__ import annotations

import io
import os
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from farm.errors import SourceError
from farm.sources.base import path_ref
from farm.sources.lines import HEAD_BYTES, LineSource, read_lines
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
    writer.write(b"/a.jpg\n")
    assert source.take(5) == refs("/a.jpg")
    writer.close()
    assert source.take(5) == []
    assert source.exhausted


@pytest.mark.parametrize("given", [b"", b"\n\r\n", b"\xef\xbb\xbf"])
def test_what_ends_without_a_path_is_an_empty_list(pipe: Pipe, given: bytes) -> None:
    source, writer = pipe
    writer.write(given)
    writer.close()
    with pytest.raises(SourceError, match="standard input: no images in it"):
        take_all(source)


def test_what_can_not_be_read_is_said(tmp_path: Path) -> None:
    folder = os.open(tmp_path, os.O_RDONLY)
    with pytest.raises(SourceError, match="standard input: can't be read: Is a directory"):
        LineSource(folder).take(5)
    os.close(folder)


def test_of_a_line_without_an_end_only_the_beginning_is_kept(pipe: Pipe) -> None:
    source, writer = pipe
    writer.write(b"/a.jpg\n")
    assert source.take(5) == refs("/a.jpg")
    tracemalloc.start()
    for _ in range(80):
        writer.write(b"/x" * 32000)
        assert source.take(5) == []
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10 * HEAD_BYTES
    writer.write(b"\n/b.jpg\n")
    (cut,) = source.take(1)
    assert cut == path_ref(b"/x" * 9999)
    assert source.take(1) == refs("/b.jpg")


@pytest.mark.parametrize("part", [1000, 5000, 64000])
def test_a_first_line_without_an_end_is_refused(pipe: Pipe, part: int) -> None:
    source, writer = pipe
    taken = (source.take(5) for _ in range(100) if writer.write(b"x" * part))
    with pytest.raises(SourceError, match="standard input: its first line is longer"):
        assert not any(taken)


@pytest.mark.parametrize("length", [1, HEAD_BYTES - 1, HEAD_BYTES, HEAD_BYTES + 1, 300_000])
def test_lines_of_a_file_are_cut_where_no_path_is_so_long(length: int) -> None:
    lines = [b"/a.jpg\n", b"x" * length + b"\n", b"/b.jpg"]
    found = list(read_lines(io.BytesIO(b"".join(lines))))
    assert [line[:HEAD_BYTES] for line in lines] == found


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


def test_a_byte_order_mark_is_no_part_of_the_first_path(pipe: Pipe) -> None:
    source, writer = pipe
    writer.write(b"\xef\xbb")
    assert source.take(5) == []
    writer.write(b"\xbf/a.jpg\n\xef\xbb\xbf/b.jpg\n")
    assert source.take(5) == refs("/a.jpg", b"\xef\xbb\xbf/b.jpg")


@pytest.mark.parametrize(
    "given", ["/a.jpg\n".encode("utf-16"), b"/a.jpg\0/b.jpg\0", b"/a.jpg\r/b.jpg\r/c.jpg"]
)
def test_what_is_not_a_path_a_line_is_refused(pipe: Pipe, given: bytes) -> None:
    source, writer = pipe
    writer.write(given)
    writer.close()
    with pytest.raises(SourceError, match="standard input: "):
        source.take(5)


def test_what_comes_later_is_an_item(pipe: Pipe) -> None:
    source, writer = pipe
    writer.write(b"/a.jpg\n")
    assert source.take(5) == refs("/a.jpg")
    writer.write(b"/b\0.jpg\n/c\rd.jpg\n")
    assert source.take(5) == refs(b"/b\0.jpg", b"/c\rd.jpg")
