"""A file's bytes: whole, bounded, of one version, and only of files."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.support import ROOT
from workers.errors import ImageError
from workers.images import file_reader as reading

BYTES = bytes(range(256)) * 1024
MOST = len(BYTES)
PAGES = b"/proc/self/pagemap"  # tells no size, has no end


def written(path: Path, data: bytes = BYTES) -> bytes:
    path.write_bytes(data)
    return os.fsencode(path)


def error_of(path: bytes, most: int = MOST) -> ImageError:
    with pytest.raises(ImageError) as caught:
        reading.read(path, most)
    return caught.value


@pytest.mark.parametrize("size", [0, 1, reading.CHUNK - 1, reading.CHUNK, reading.CHUNK + 1, MOST])
def test_a_file_is_read_whole(tmp_path: Path, size: int) -> None:
    assert reading.read(written(tmp_path / "a", BYTES[:size]), MOST) == BYTES[:size]


def test_a_file_that_tells_no_size_is_read_whole() -> None:
    assert reading.read(b"/proc/version", MOST).startswith(b"Linux version ")


def test_a_file_with_a_byte_too_many_is_too_large(tmp_path: Path) -> None:
    error = error_of(written(tmp_path / "a"), MOST - 1)
    assert error.kind == "too_large"
    assert {"262144", "262143"} <= set(re.findall(r"\d+", str(error)))


def test_a_large_file_is_not_read_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "a")
    os.truncate(path, 10_000_000_000)
    monkeypatch.setattr(os, "read", lambda *_: pytest.fail("read"))
    assert error_of(path).kind == "too_large"


@pytest.mark.skipif(not os.access(PAGES, os.R_OK), reason="no page map here")
def test_a_file_without_end_is_read_up_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    real = os.read

    def counted(fd: int, count: int) -> bytes:
        sizes.append(count)
        return real(fd, count)

    monkeypatch.setattr(os, "read", counted)
    assert error_of(PAGES).kind == "too_large"
    assert sum(sizes) <= MOST + reading.CHUNK


@pytest.mark.parametrize("size", [0, 1, MOST - 1, MOST, MOST + 1])
def test_a_file_written_to_while_it_is_read_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    path = written(tmp_path / "a")
    real = os.read

    def read_and_write(fd: int, count: int) -> bytes:
        data = real(fd, min(count, reading.CHUNK))
        os.truncate(path, size)
        os.utime(path, ns=(1, 1))  # the clock of file times may not have ticked since
        return data

    monkeypatch.setattr(os, "read", read_and_write)
    error = error_of(path, 2 * MOST)
    table = (ROOT / "docs" / "reliability.md").read_text()
    assert re.search(rf"^\| file written to .* \| `{error.kind}`: {error} \| 1 \|$", table, re.M)


def test_a_file_removed_while_it_is_read_is_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "a")
    real = os.open

    def open_and_remove(name: bytes, flags: int) -> int:
        fd = real(name, flags)
        os.unlink(name)
        return fd

    monkeypatch.setattr(os, "open", open_and_remove)
    assert reading.read(path, MOST) == BYTES


def test_a_device_is_not_even_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "open", lambda *_: pytest.fail("opened"))
    assert error_of(b"/dev/zero").kind == "not_a_file"


def test_a_file_replaced_by_a_fifo_just_now_is_not_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "a")
    real = os.stat

    def stat_and_replace(name: Any, **options: Any) -> os.stat_result:
        status = real(name, **options)
        if name == path:
            os.unlink(path)
            os.mkfifo(path)
        return status

    monkeypatch.setattr(os, "stat", stat_and_replace)
    assert error_of(path).kind == "not_a_file"


def test_an_error_does_not_repeat_the_path(tmp_path: Path) -> None:
    error = error_of(os.fsencode(tmp_path / ("x" * 300)))
    assert error.kind == "unreadable"
    assert os.strerror(errno.ENAMETOOLONG) in str(error)
    assert "xxx" not in str(error)


def test_a_path_with_a_nul_byte_is_named_as_such() -> None:
    error = error_of(b"/a\0b.jpg")
    assert (error.kind, "NUL" in str(error)) == ("unreadable", True)
