"""Files of whole lines: cut, locked, brought to the disk, and what is left when that fails."""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from farm.errors import OutputError, WriterError
from farm.results.line_file import SYNC_SECONDS, LineFile
from farm.system.fd_writer import WriteDeadline
from tests.helpers.programs import missing


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What has been brought to the disk, by name, in order."""
    names: list[str] = []
    real = os.fsync

    def fsync(fd: int) -> None:
        names.append(Path(f"/proc/self/fd/{fd}").readlink().name)
        real(fd)

    monkeypatch.setattr(os, "fsync", fsync)
    return names


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Files of this process can't grow above `size` bytes: a disk that is full there."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_lines_are_on_the_disk_every_few_seconds_and_at_the_end(
    tmp_path: Path, synced: list[str]
) -> None:
    path = tmp_path / "r.jsonl"
    path.touch()
    with LineFile(path, WriteDeadline()) as file:
        for now in (10.0, 10.1, 10.0 + SYNC_SECONDS - 0.1):
            file.append(b"x\n")
            file.sync_if_due(now)
        assert synced == []
        file.sync_if_due(10.0 + SYNC_SECONDS)
        assert synced == ["r.jsonl"]
        file.sync_if_due(10.0 + 2 * SYNC_SECONDS - 0.1)
        assert synced == ["r.jsonl"]
        file.sync_if_due(10.0 + 2 * SYNC_SECONDS)
    assert synced == ["r.jsonl"] * 3


def test_a_new_file_is_brought_into_its_folder(tmp_path: Path, synced: list[str]) -> None:
    with LineFile(tmp_path / "r.jsonl", WriteDeadline()):
        assert synced == [tmp_path.name]


def test_a_line_that_finds_no_room_leaves_none_of_it(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    with LineFile(path, WriteDeadline()) as file:
        file.append(b"whole\n")
        with largest_file(10), pytest.raises(WriterError, match=r"r\.jsonl: .*: File too large"):
            file.append(b"too long\n")
    assert path.read_bytes() == b"whole\n"


def test_a_short_write_is_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[:3]))
    with LineFile(tmp_path / "r.jsonl", WriteDeadline()) as file:
        file.append(b"0123456789\n")
    assert (tmp_path / "r.jsonl").read_bytes() == b"0123456789\n"


def test_a_pipe_that_somebody_else_filled_first_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, full = os.write, [True]

    def write(fd: int, data: bytes) -> int:
        if full:
            full.pop()
            raise BlockingIOError
        return real(fd, data)

    monkeypatch.setattr(os, "write", write)
    with LineFile(tmp_path / "r.jsonl", WriteDeadline()) as file:
        file.append(b"x\n")
    assert (tmp_path / "r.jsonl").read_bytes() == b"x\n"


def test_a_line_is_one_write_however_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    real = os.write

    def write(fd: int, data: bytes) -> int:
        sizes.append(len(data))
        return real(fd, data)

    monkeypatch.setattr(os, "write", write)
    with LineFile(tmp_path / "r.jsonl", WriteDeadline()) as file:
        file.append(b"x" * 100_000 + b"\n")
    assert sizes == [100_001]


def test_a_file_in_use_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    with LineFile(path, WriteDeadline()) as file:
        file.append(b"mine\n")
        with pytest.raises(OutputError, match="another run is writing to it"):
            LineFile(path, WriteDeadline())
    assert path.read_bytes() == b"mine\n"
    LineFile(path, WriteDeadline()).__exit__(None, None, None)


def test_a_file_that_changed_since_it_was_read_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_bytes(b"one\ntwo\n")
    with pytest.raises(OutputError, match="has just been changed"):
        LineFile(path, WriteDeadline(), keep=4, expected=4)
    assert path.read_bytes() == b"one\ntwo\n"


def test_what_is_kept_is_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_bytes(b"one\ntw")
    with LineFile(path, WriteDeadline(), keep=4, expected=6) as file:
        file.append(b"2\n")
    assert path.read_bytes() == b"one\n2\n"


def removed(path: Path) -> None:
    path.unlink()


def with_its_folder(path: Path) -> None:
    path.unlink()
    path.parent.rmdir()


@pytest.mark.parametrize("remove", [removed, with_its_folder])
def test_a_file_that_is_removed_is_noticed(tmp_path: Path, remove: Callable[[Path], None]) -> None:
    path = tmp_path / "in" / "r.jsonl"
    path.parent.mkdir()

    def write() -> None:
        with LineFile(path, WriteDeadline()) as file:
            file.append(b"x\n")
            remove(path)

    with pytest.raises(WriterError, match="was removed while it was written"):
        write()


def cut_off(path: Path) -> None:
    os.truncate(path, 1)


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def longer(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"of somebody else\n")


def moved(path: Path) -> None:
    path.rename(path.with_name("r.jsonl.1"))


def replaced(path: Path) -> None:
    moved(path)
    path.write_bytes(b"x\n")


def redirected(path: Path) -> None:
    """Its name becomes a link to another file."""
    (path.parent / "other").write_bytes(b"x\n")
    moved(path)
    path.symlink_to("other")


CHANGES: dict[Callable[[Path], None], tuple[str, str]] = {
    cut_off: ("cut it off", "1 of 2 bytes"),
    emptied: ("cut it off", "0 of 2 bytes"),
    longer: ("another program writes to it", "17 bytes"),
    moved: ("moved or replaced", "No such file or directory"),
    replaced: ("moved or replaced", "another file"),
    redirected: ("moved or replaced", "another file"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_others_do_to_the_file_is_noticed_at_the_end(
    tmp_path: Path, change: Callable[[Path], None]
) -> None:
    def write() -> None:
        with LineFile(tmp_path / "r.jsonl", WriteDeadline()) as file:
            file.append(b"x\n")
            change(tmp_path / "r.jsonl")

    with pytest.raises(WriterError) as caught:
        write()
    assert missing((str(tmp_path / "r.jsonl"), *CHANGES[change]), str(caught.value)) == []


@pytest.mark.parametrize("change", CHANGES)
def test_and_at_the_next_sync(tmp_path: Path, change: Callable[[Path], None]) -> None:
    def write() -> None:
        with LineFile(tmp_path / "r.jsonl", WriteDeadline()) as file:
            file.append(b"x\n")
            file.sync_if_due(10.0)
            change(tmp_path / "r.jsonl")
            file.sync_if_due(10.0 + SYNC_SECONDS)
            pytest.fail("not noticed before the end")

    with pytest.raises(WriterError):
        write()


def test_a_link_that_stays_is_no_change(tmp_path: Path) -> None:
    (tmp_path / "data.jsonl").touch()
    (tmp_path / "r.jsonl").symlink_to("data.jsonl")
    with LineFile(tmp_path / "r.jsonl", WriteDeadline()) as file:
        file.append(b"x\n")
    assert (tmp_path / "data.jsonl").read_bytes() == b"x\n"


def fail(code: int) -> Callable[..., Any]:
    def call(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    return call


@pytest.mark.parametrize("code", [errno.EIO, errno.EDQUOT, errno.ENOSPC])
@pytest.mark.parametrize("call", ["fsync", "close"])
def test_a_disk_that_fails_later_is_a_writer_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, code: int
) -> None:
    """Some file systems, such as NFS, tell of a full disk or a quota only then."""

    def write() -> None:
        with LineFile(tmp_path / "r.jsonl", WriteDeadline()) as file:
            file.append(b"x\n")
            monkeypatch.setattr(os, call, fail(code))

    with pytest.raises(WriterError, match=rf"r\.jsonl: .*{os.strerror(code)}"):
        write()


@pytest.mark.parametrize(
    ("change", "left"), [(emptied, b""), (longer, b"whole\nof somebody else\n")]
)
def test_where_a_line_finds_no_room_nothing_of_others_is_cut(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Path], None],
    left: bytes,
) -> None:
    path = tmp_path / "r.jsonl"

    def write() -> None:
        with LineFile(path, WriteDeadline()) as file:
            file.append(b"whole\n")
            change(path)
            monkeypatch.setattr(os, "write", fail(errno.ENOSPC))
            file.append(b"too long\n")

    with pytest.raises(WriterError, match=os.strerror(errno.ENOSPC)):
        write()
    assert path.read_bytes() == left


def test_the_first_error_is_the_one_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", fail(errno.EIO))
    with (
        pytest.raises(WriterError, match="File too large"),
        LineFile(tmp_path / "r.jsonl", WriteDeadline()) as file,
        largest_file(1),
    ):
        file.append(b"xx\n")


def test_a_file_system_without_locks_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(_fd: int, _how: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", flock)
    with LineFile(tmp_path / "r.jsonl", WriteDeadline()) as file:
        file.append(b"x\n")
    assert (tmp_path / "r.jsonl").read_bytes() == b"x\n"


def test_a_pipe_that_nobody_reads_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "r.jsonl")
    with pytest.raises(OutputError, match="nobody reads this pipe"):
        LineFile(tmp_path / "r.jsonl", WriteDeadline())


def test_a_pipe_gets_all_however_slowly_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(reader, True)
    data = b"".join(b"%d\n" % number for number in range(50_000))  # more than a pipe holds

    def write() -> None:
        with LineFile(path, WriteDeadline()) as file:
            file.append(data)

    writer = threading.Thread(target=write)
    writer.start()
    got = bytearray()
    while len(got) < len(data):
        got += os.read(reader, 3000)
    writer.join()
    os.close(reader)
    assert got == data


def test_a_pipe_whose_reader_leaves_is_a_writer_error(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with LineFile(path, WriteDeadline()) as file:
        os.close(reader)
        with pytest.raises(WriterError, match="Broken pipe"):
            file.append(b"x\n")
