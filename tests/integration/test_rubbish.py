"""What nobody waits for, or can read, comes to the sink: it is counted and dropped."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgpack
import pytest
import zmq
from msgspec.structs import replace

from farm.api import Farm
from tests.helpers.programs import Programs
from tests.helpers.support import children_of, names_of_children, outcome, simulated, worker_spec
from tests.helpers.told import Told
from workers.protocol.messages import (
    VERSION,
    Batch,
    Done,
    Failed,
    FileRef,
    Item,
    Ready,
    Stop,
    WorkerInit,
    encode,
)
from workers.protocol.sockets import Context
from workers.protocol.spec import NHWC, UINT8, InputSpec

READY = Ready(
    worker=1,
    generation=1,
    model="",
    input=InputSpec(width=224, height=224, layout=NHWC, dtype=UINT8),
    classes=1000,
    reading="PROBABILITIES",
    self_test_ms=1.0,
)
FAILED = Failed(worker=1, generation=0, message="no more")
DONE = Done(worker=1, generation=1, batch=10**9, outcomes=(outcome(0),))
RUBBISH = {
    "nothing": b"",
    "random bytes": bytes(os.urandom(4096)),
    "another version": msgpack.packb([VERSION + 1, 3, 1, 1, 1, []]),
    "no message": msgpack.packb([VERSION, 99]),
    "a nest": b"\x91" * 100_000,
    "gigabytes announced": b"\x92\x01\xc6\xff\xff\xff\xff",
    "Ready again": encode(READY),
    "Ready of nobody": encode(replace(READY, worker=3)),
    "Ready of less than nobody": encode(replace(READY, worker=-1)),
    "Ready of far less than nobody": encode(replace(READY, worker=-(2**63))),
    "Ready of a life to come": encode(replace(READY, generation=2)),
    "Failed of an earlier life": encode(FAILED),
    "Failed of nobody": encode(replace(FAILED, worker=-4)),
    "Done of no batch": encode(DONE),
    "Done of nobody": encode(replace(DONE, worker=-1, batch=1)),
    "Done of far more than anybody": encode(replace(DONE, worker=2**63 - 1, batch=1)),
    "a Batch": encode(Batch(1, (Item(0, FileRef(b"/x")),))),
    "Stop": encode(Stop()),
    "a WorkerInit": encode(WorkerInit(worker_spec(), 1)),
}


@pytest.fixture(scope="module")
def farm() -> Iterator[Farm]:
    """One for all: nothing that comes to its sink may do it any harm."""
    with Farm(simulated(simulated={"service_ms": 1.0})) as farm:
        yield farm


def push(farm: Farm, *messages: bytes) -> zmq.Socket[bytes]:
    """Send to the sink of a farm whose workers are up, as one of them might."""
    context: Context = zmq.Context.instance()
    socket = context.socket(zmq.PUSH)
    socket.linger = 0
    socket.connect(farm.plan.workers[0].sink)
    for message in messages:
        socket.send(message)
    return socket


def classified(farm: Farm, images: list[Path]) -> None:
    """Have the farm classify images: each has one result, and no worker is lost."""
    workers = children_of(os.getpid())
    results = list(farm.classify(images))
    assert sorted(result.id for result in results) == list(range(len(images)))
    assert all(result.error is None for result in results)
    assert (len(workers), farm.losses) == (3, 0)
    assert children_of(os.getpid()) == workers


@pytest.mark.parametrize("rubbish", RUBBISH.values(), ids=RUBBISH.keys())
def test_rubbish_on_the_sink_is_counted_and_dropped(
    farm: Farm, renders: list[Path], rubbish: bytes
) -> None:
    before = farm.strays
    with push(farm, rubbish, rubbish):
        while farm.strays < before + 2:
            classified(farm, renders[:6])
    classified(farm, renders[:6])
    assert farm.strays == before + 2


def test_a_storm_of_rubbish_amid_a_run_costs_no_image(farm: Farm, renders: list[Path]) -> None:
    before, over = farm.strays, threading.Event()

    def blow() -> None:
        with push(farm) as socket:
            while not over.wait(0.001):
                for rubbish in RUBBISH.values():
                    with suppress(zmq.Again):  # the farm, which reads them, may be over
                        socket.send(rubbish, zmq.DONTWAIT)

    storm = threading.Thread(target=blow)
    storm.start()
    try:
        while farm.strays < before + 10 * len(RUBBISH):
            classified(farm, renders)
    finally:
        over.set()
        storm.join()


# Sends one message to an address, for ever.
FLOOD = """
import sys, zmq
socket = zmq.Context().socket(zmq.PUSH)
socket.sndhwm = 16
socket.connect(sys.argv[1])
message = bytes(int(sys.argv[2]))
while True:
    socket.send(message)
"""


@pytest.mark.parametrize("size", ["10", "100000"])
def test_a_process_that_never_stops_sending_does_not_keep_the_farm(
    farm: Farm, renders: list[Path], programs: Programs, size: str
) -> None:
    flood = programs.start(sys.executable, "-c", FLOOD, farm.plan.workers[0].sink, size)
    before = farm.strays
    while farm.strays < before + 100:
        classified(farm, renders[:6])
    classified(farm, renders * 3)
    assert flood.poll() is None


def test_a_message_bigger_than_any_answer_is_not_taken_in(farm: Farm, renders: list[Path]) -> None:
    with push(farm) as socket:
        with socket.get_monitor_socket(zmq.EVENT_DISCONNECTED) as told:
            socket.send(bytes(64 << 20))
            classified(farm, renders)
            assert told.poll(30_000)
        socket.disable_monitor()


def test_a_worker_that_says_it_can_not_go_on_and_stays_is_killed(
    renders: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("farm.coordinator.supervisor.LEAVE_SECONDS", 0.1)
    told = Told()
    others = children_of(os.getpid())  # the farm of the tests above may be up
    with Farm(simulated(), log=told) as farm:
        names = names_of_children(os.getpid()).items()
        (worker,) = (pid for pid, name in names if name == "worker-1" and pid not in others)
        os.kill(worker, signal.SIGSTOP)  # its own words would be followed by its end
        with push(farm, encode(replace(FAILED, generation=1))):
            while not told.of("worker_back", 1):
                list(farm.classify(renders[:6]))
    (died,) = told.of("worker_died")
    assert FAILED.message in died
