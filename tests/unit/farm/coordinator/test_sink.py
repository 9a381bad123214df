"""The socket on which workers report, beside somebody who never stops sending."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq

from farm.coordinator.sink import AHEAD, MESSAGE_BYTES, TURN_BYTES, Sink
from tests.helpers.support import wait_for
from workers.protocol.messages import Failed
from workers.protocol.sockets import Context, Outbox

REPORT = Failed(worker=0, generation=0, message="no more")


@pytest.fixture
def address(run_dirs: Path) -> str:
    return f"ipc://{run_dirs}/sink"


@pytest.fixture
def context() -> Iterator[Context]:
    context: Context = zmq.Context()
    yield context
    context.destroy(linger=0)


@pytest.mark.parametrize("size", [0, 100_000, TURN_BYTES])
def test_rubbish_without_end_does_not_keep_the_farm(
    context: Context, address: str, size: int
) -> None:
    sink = Sink(context, address)
    flood = context.socket(zmq.PUSH)
    flood.linger = 0
    flood.connect(address)
    for _ in range(AHEAD + 3 * TURN_BYTES // (MESSAGE_BYTES + size)):
        flood.send(bytes(size))
    worker = Outbox(context, address)
    worker.send(REPORT)
    found: list[object] = []
    before = 0
    while not found:
        found = list(sink.reports())
        assert sink.invalid - before <= 1 + TURN_BYTES // (MESSAGE_BYTES + size)
        before = sink.invalid
    assert found == [REPORT]
    for socket in (sink, flood):
        socket.close()
    worker.close(flush=False)


def test_no_sender_takes_more_of_the_farms_memory_than_his_share(
    context: Context, address: str
) -> None:
    with zmq.Context() as theirs:
        sink = Sink(context, address)
        socket = theirs.socket(zmq.PUSH)
        socket.sndhwm = 1
        socket.linger = 0
        socket.connect(address)
        message, sent = bytes(1 << 20), 0
        assert socket.poll(30_000, zmq.POLLOUT)
        while socket.poll(300, zmq.POLLOUT):  # the kernel and ZeroMQ hold a few more
            socket.send(message)
            sent += 1
            assert sent <= 2 * AHEAD
        assert sent >= AHEAD
        assert wait_for(lambda: bool(list(sink.reports())) or sink.invalid == sent)
        socket.close()
        sink.close()
