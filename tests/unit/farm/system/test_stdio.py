"""Standard error that can't be written to: the words are forgotten, and nothing else happens."""

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
    """The writing end of a pipe that takes not one byte more."""
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


def unheard(fd: int) -> io.FileIO:
    return BestEffortFile(fd, "w", closefd=False)


def say_much(fd: int) -> None:
    """Say more than any buffer holds, as a program does on its standard error."""
    with io.TextIOWrapper(io.BufferedWriter(unheard(fd)), line_buffering=True) as said:
        for _ in range(100):
            print("x" * io.DEFAULT_BUFFER_SIZE, file=said)


def test_what_is_heard_arrives_and_is_counted(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    assert unheard(writer).write(LINE) == len(LINE)
    assert os.read(reader, 100) == LINE


def test_of_a_write_that_is_cut_short_what_arrived_is_counted(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    count = unheard(writer).write(MORE_THAN_A_PIPE_HOLDS)
    assert 0 < count < len(MORE_THAN_A_PIPE_HOLDS)
    assert len(os.read(reader, len(MORE_THAN_A_PIPE_HOLDS))) == count


def test_what_a_full_pipe_does_not_take_is_done_with(full: int) -> None:
    assert unheard(full).write(LINE) == len(LINE)


def test_a_program_whose_reader_sleeps_talks_on(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    say_much(writer)
    assert os.read(reader, 10) == b"x" * 10


def test_what_a_broken_file_does_not_take_is_done_with(broken: int) -> None:
    assert unheard(broken).write(LINE) == len(LINE)


def test_a_program_whose_reader_is_gone_talks_on(broken: int) -> None:
    say_much(broken)
