"""What an image costs that can be counted: messages, wake-ups, copies of its pixels."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pytest
import zmq

from farm.api import Farm
from farm.config.schema import FarmConfig
from tests.helpers.support import ready
from workers.answers import Answers
from workers.images import preprocess as image
from workers.images.decode_pool import DecodePool
from workers.images.fit import ImageInfo
from workers.loop import BatchLoop
from workers.protocol import messages as wire
from workers.protocol.messages import Batch, Done, FileRef, Item, Stop
from workers.protocol.sockets import Inbox, Outbox
from workers.protocol.spec import EXACT, NHWC, UINT8, InputSpec
from workers.tasks.classification import Classification
from workers.tasks.task import Model as TaskModel

BATCH = 8
IMAGES = 720
SPEC = InputSpec(width=224, height=224, layout=NHWC, dtype=UINT8)


def test_messages_and_wake_ups_are_by_the_batch(
    renders: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: Counter[str] = Counter()
    send, receive, poll = Outbox.send, Inbox.receive_bytes, zmq.zmq_poll

    def counting_send(outbox: Outbox, message: wire.Message) -> None:
        seen[type(message).__name__] += 1
        send(outbox, message)

    def counting_receive(inbox: Inbox, *, block: bool) -> bytes | None:
        data = receive(inbox, block=block)
        seen[type(data if data is None else wire.decode(data)).__name__] += 1
        return data

    def counting_poll(sockets: list[Any], timeout: int = -1) -> list[Any]:
        ready = poll(sockets, timeout)
        if len(sockets) > 1:  # the coordinator's one poll, and no look into the inbox
            seen["by the clock" if not ready else "wake-up"] += ready == [] or from_a_socket(ready)
        return ready

    def from_a_socket(ready: list[Any]) -> bool:
        return any(isinstance(source, zmq.Socket) for source, _ in ready)

    values = {
        "platform": "rk3588",
        "runtime": "simulated",
        "size": 3,
        "cpu": "all",
        "batch": BATCH,
        "simulated": {"service_ms": 1.0},
    }
    with Farm(FarmConfig.model_validate(values)) as farm:
        monkeypatch.setattr(Outbox, "send", counting_send)
        monkeypatch.setattr(Inbox, "receive_bytes", counting_receive)
        monkeypatch.setattr(zmq, "zmq_poll", counting_poll)
        assert sum(1 for _ in farm.classify(renders * (IMAGES // len(renders)))) == IMAGES
        monkeypatch.undo()
    batches = seen["Batch"]
    # Full ones, but where few images wait: towards the end, and while the coordinator is held up.
    assert IMAGES / BATCH <= batches <= 2 * IMAGES / BATCH
    assert seen["Done"] == batches
    # How many answers one wake-up finds is up to the machine, and so is what workers print.
    assert seen["wake-up"] <= batches
    assert seen["NoneType"] <= seen["wake-up"]  # one look for each finds that there is no other
    assert seen["by the clock"] < batches


class Model:
    """A runtime that keeps what it is given."""

    model = ""
    input = SPEC
    classes = 10

    def __init__(self) -> None:
        self.given: list[npt.NDArray[Any]] = []

    def infer(self, tensor: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], ...]:
        self.given.append(tensor)
        return (np.full(10, 0.1, np.float32),)

    def close(self) -> None:
        pass


class Messages:
    """An inbox with these messages in it."""

    def __init__(self, *messages: wire.Message) -> None:
        self._messages = list(messages)

    def receive(self, *, block: bool) -> wire.Message | None:
        del block
        return self._messages.pop(0) if self._messages else None


class Sent:
    """An outbox that keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[wire.Message] = []

    def send(self, message: wire.Message) -> None:
        self.sent.append(message)


def test_the_runtime_gets_the_very_array_that_was_decoded(
    renders: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[npt.NDArray[Any]] = []
    load = image.load

    def keeping(*given: Any) -> tuple[npt.NDArray[Any], ImageInfo]:
        tensor, info = load(*given)
        made.append(tensor)
        return tensor, info

    monkeypatch.setattr(image, "load", keeping)
    decoders = DecodePool(1, tuple(os.sched_getaffinity(0)), SPEC, EXACT)
    items = tuple(Item(n, FileRef(os.fsencode(path))) for n, path in enumerate(renders[:5]))
    model, outbox = Model(), Sent()
    task = Classification("auto", TaskModel("", (np.full(10, 0.1, np.float32),), 224, 224))
    answers = Answers(ready(classes=10), task, cast(Any, outbox))
    BatchLoop(model, decoders, answers).serve(cast(Any, Messages(Batch(1, items), Stop())))
    answers.close()
    decoders.close()
    assert [id(tensor) for tensor in model.given] == [id(tensor) for tensor in made]
    assert all(tensor.flags.c_contiguous for tensor in made)  # so the NPU's library copies as it is
    (done,) = outbox.sent
    assert isinstance(done, Done)
    assert [outcome.item for outcome in done.outcomes] == [0, 1, 2, 3, 4]
