"""Standard error that cannot be written to: messages are dropped, and the program continues."""

from __future__ import annotations

import errno
import io
import os
import pty
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from farm.system.stdio import BestEffortFile

LINE = b"worker 1 died\n"
MORE_THAN_A_PIPE_HOLDS = bytes(1 << 20)


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe whose writing end is non-blocking, as other programs can make a terminal."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    yield reader, writer
    os.close(reader)
    os.close(writer)


@pytest.fixture
def full(pipe: tuple[int, int]) -> int:
    """The writing end of a pipe that takes no byte more."""
    _, writer = pipe
    for piece in (MORE_THAN_A_PIPE_HOLDS, b"x"):
        with suppress(BlockingIOError):
            while True:
                os.write(writer, piece)
    return writer


def lost_terminal() -> int:
    ours, theirs = pty.openpty()
    os.close(ours)
    return theirs


def left_pipe() -> int:
    reader, writer = os.pipe()
    os.close(reader)
    return writer


BROKEN: dict[int, Callable[[], int]] = {
    errno.EIO: lost_terminal,
    errno.EBADF: lambda: os.open(os.devnull, os.O_RDONLY),
    errno.EPIPE: left_pipe,
    errno.ENOSPC: lambda: os.open("/dev/full", os.O_WRONLY),
}


@pytest.fixture(params=BROKEN, ids=errno.errorcode.get)
def broken(request: pytest.FixtureRequest) -> Iterator[int]:
    """A file to which every write fails, each time for another reason."""
    fd = BROKEN[request.param]()
    with pytest.raises(OSError, match=os.strerror(request.param)):
        os.write(fd, LINE)
    yield fd
    os.close(fd)


def best_effort(fd: int) -> io.FileIO:
    return BestEffortFile(fd, "w", closefd=False)


def print_a_lot(fd: int) -> None:
    """Print more than any buffer holds, as a program does on its standard error."""
    with io.TextIOWrapper(io.BufferedWriter(best_effort(fd)), line_buffering=True) as stderr:
        for _ in range(100):
            print("x" * io.DEFAULT_BUFFER_SIZE, file=stderr)


def test_what_arrives_is_counted(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    assert best_effort(writer).write(LINE) == len(LINE)
    assert os.read(reader, 100) == LINE


def test_of_a_partial_write_the_bytes_that_arrived_are_counted(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    count = best_effort(writer).write(MORE_THAN_A_PIPE_HOLDS)
    assert 0 < count < len(MORE_THAN_A_PIPE_HOLDS)
    assert len(os.read(reader, len(MORE_THAN_A_PIPE_HOLDS))) == count


def test_what_a_full_pipe_does_not_take_is_dropped(full: int) -> None:
    assert best_effort(full).write(LINE) == len(LINE)


def test_a_program_whose_reader_sleeps_continues(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    print_a_lot(writer)
    assert os.read(reader, 10) == b"x" * 10


def test_what_a_broken_file_does_not_take_is_dropped(broken: int) -> None:
    assert best_effort(broken).write(LINE) == len(LINE)


def test_a_program_whose_reader_is_gone_continues(broken: int) -> None:
    print_a_lot(broken)
