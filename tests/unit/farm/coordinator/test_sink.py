"""The socket on which workers report, beside somebody who never stops sending."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgpack
import pytest
import zmq

from farm.coordinator.sink import AHEAD, ITEM_BYTES, MESSAGE_BYTES, TURN_BYTES, Sink
from tests.helpers.support import wait_for
from workers.protocol.messages import (
    LARGEST_OUTPUT,
    Detected,
    Done,
    Failed,
    Outcome,
    Output,
    encode,
)
from workers.protocol.sockets import Context, Outbox

BATCH = 8
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
    sink = Sink(context, address, BATCH)
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
        sink = Sink(context, address, BATCH)
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


def done(answer: Output | Detected, count: int) -> Done:
    times = {"decode_ms": 1.0, "wait_ms": 1.0, "infer_ms": 1.0, "task_ms": 1.0}
    one = Outcome(item=2**40, answer=answer, error=None, started=1e9, **times)
    return Done(worker=0, generation=1, batch=1, outcomes=(one,) * count)


def test_the_longest_answer_to_a_large_batch_comes_through(context: Context, address: str) -> None:
    """Else nothing comes, and its worker counts as one that hangs."""
    head, batch = 5, 200  # of 1024 it would take 130 MB
    longest = done(Output(msgpack.packb(bytes(LARGEST_OUTPUT - head))), batch)
    sink, worker = Sink(context, address, batch), Outbox(context, address)
    worker.send(longest)
    found: list[object] = []

    def comes() -> bool:
        found.extend(sink.reports())
        return found != []

    assert wait_for(comes, within=10)
    assert found == [longest]
    worker.close(flush=False)
    sink.close()


def test_a_thousand_objects_are_no_longer_than_the_longest_answer() -> None:
    objects = ((2**31, 0.9, (0.1, 0.1, 1e9, 1e9)),) * 1000
    assert len(encode(done(Detected((2**31, 2**31), objects), 1))) < ITEM_BYTES
