"""What passes through the pipes while a worker starts."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest

from tests.helpers.support import worker_spec
from workers.errors import WireError
from workers.protocol.messages import Stop, WorkerInit, encode
from workers.protocol.startup import LENGTH_BYTES, begin, pack_init, read_init, split

INIT = WorkerInit(worker_spec(model="/models/" + "m" * 200_000), 3)  # more than a pipe holds


class Pipe:
    """A pipe, and how to write more to it than it holds."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()

    def write(self, data: bytes, piece: int = 4096) -> threading.Thread:
        """Write in pieces, then close, while the caller reads."""

        def work() -> None:
            for at in range(0, len(data), piece):
                os.write(self.writer, data[at : at + piece])
            os.close(self.writer)

        thread = threading.Thread(target=work)
        thread.start()
        return thread


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    os.close(pipe.reader)


def test_an_init_is_read_whole_and_no_byte_more(pipe: Pipe) -> None:
    writer = pipe.write(pack_init(INIT) + b"more")
    assert read_init(pipe.reader) == INIT
    writer.join()
    assert os.read(pipe.reader, 10) == b"more"


def test_an_init_that_comes_byte_by_byte_is_read(pipe: Pipe) -> None:
    short = WorkerInit(worker_spec(), 0)
    writer = pipe.write(pack_init(short), piece=1)
    assert read_init(pipe.reader) == short
    writer.join()


def prefixed(data: bytes) -> bytes:
    return len(data).to_bytes(LENGTH_BYTES, "big") + data


@pytest.mark.parametrize(
    "given",
    [b"", b"\0\0", b"\0\0\0\0", pack_init(INIT)[:-1], prefixed(b"hello"), prefixed(encode(Stop()))],
    ids=["nothing", "half a length", "no message", "cut", "rubbish", "another message"],
)
def test_anything_else_is_refused(pipe: Pipe, given: bytes) -> None:
    writer = pipe.write(given)
    with pytest.raises(WireError):
        read_init(pipe.reader)
    writer.join()


@pytest.mark.parametrize("step", ["the self-test", "RKNNLite.load_rknn('größe.rknn')"])
def test_a_step_comes_back_from_its_line(step: str, capfd: pytest.CaptureFixture[str]) -> None:
    begin(step)
    lines = capfd.readouterr().err.encode().splitlines()
    assert [found for found in map(split, lines) if found is not None] == [step]


def test_other_lines_announce_no_step() -> None:
    assert split(b"E RKNN: failed to submit!") is None
