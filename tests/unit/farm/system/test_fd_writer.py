"""Bytes to pipes and files: all of them, and signals end a wait for a reader that does not read."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from farm.errors import InterruptedWriteError
from farm.system.fd_writer import PIPE_BYTES, WriteDeadline, is_regular, write_all
from farm.system.signals import Signals

MORE_THAN_A_PIPE_HOLDS = bytes(range(256)) * 4096


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    os.close(reader)
    os.close(writer)


@pytest.fixture
def full(pipe: tuple[int, int]) -> int:
    """The writing end of a pipe that takes no byte more; blocking again."""
    _, writer = pipe
    os.set_blocking(writer, False)
    for piece in (PIPE_BYTES, 1):
        try:
            while True:
                os.write(writer, bytes(piece))
        except BlockingIOError:
            pass
    os.set_blocking(writer, True)
    return writer


def test_a_file_gets_all(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        assert is_regular(file.fileno())
        write_all(file.fileno(), MORE_THAN_A_PIPE_HOLDS, WriteDeadline())
    assert (tmp_path / "file").read_bytes() == MORE_THAN_A_PIPE_HOLDS


@pytest.mark.parametrize("blocking", [True, False])
def test_a_pipe_gets_all_as_its_reader_takes_it(pipe: tuple[int, int], blocking: bool) -> None:
    reader, writer = pipe
    os.set_blocking(writer, blocking)
    assert not is_regular(writer)
    got = bytearray()

    def read_all() -> None:
        while len(got) < len(MORE_THAN_A_PIPE_HOLDS):
            got.extend(os.read(reader, PIPE_BYTES))

    thread = threading.Thread(target=read_all)
    thread.start()
    write_all(writer, MORE_THAN_A_PIPE_HOLDS, WriteDeadline())
    thread.join()
    assert bytes(got) == MORE_THAN_A_PIPE_HOLDS


def test_after_a_signal_a_wait_has_its_seconds(full: int) -> None:
    with Signals() as signals:
        deadline = WriteDeadline(signals, seconds=0.2)
        os.kill(os.getpid(), signal.SIGTERM)
        begun = time.monotonic()
        with pytest.raises(InterruptedWriteError):
            deadline.wait(full)
        assert time.monotonic() - begun >= 0.2
        with pytest.raises(InterruptedWriteError):  # the seconds are for all waits together
            deadline.wait(full)
        assert signals.received == [signal.SIGTERM]


def test_a_signal_during_a_wait_ends_it(full: int) -> None:
    with Signals() as signals:
        timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM))
        timer.start()
        with pytest.raises(InterruptedWriteError):
            write_all(full, b"x", WriteDeadline(signals, seconds=0.0))
        timer.join()


def test_a_second_signal_ends_a_wait_at_once(full: int) -> None:
    with Signals() as signals:
        for number in (signal.SIGINT, signal.SIGTERM):
            os.kill(os.getpid(), number)
        with pytest.raises(InterruptedWriteError):
            WriteDeadline(signals, seconds=600.0).wait(full)


def test_a_reader_that_reads_again_in_time_gets_the_rest(pipe: tuple[int, int], full: int) -> None:
    reader, _ = pipe
    with Signals() as signals:
        os.kill(os.getpid(), signal.SIGTERM)
        timer = threading.Timer(0.1, os.read, (reader, PIPE_BYTES))
        timer.start()
        write_all(full, b"x", WriteDeadline(signals, seconds=60.0))
        timer.join()


def test_a_pipe_without_a_reader_is_an_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with pytest.raises(BrokenPipeError):
        write_all(writer, b"x", WriteDeadline())
    os.close(writer)
