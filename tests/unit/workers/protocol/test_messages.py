"""Messages survive the wire unchanged; anything else is a WireError and nothing worse."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from typing import Any, get_args

import msgpack
import pytest
from msgspec.structs import fields, replace

from tests.helpers.support import outcome
from workers.errors import WireError
from workers.protocol import messages as wire
from workers.protocol.messages import (
    Batch,
    Done,
    Encoded,
    Failed,
    FileRef,
    Item,
    ItemError,
    Message,
    Outcome,
    Pixels,
    Ranked,
    Ready,
    Refused,
    Stop,
    WorkerInit,
)
from workers.protocol.spec import InputHint, InputSpec, SimulatedSpec, WorkerSpec

SIMULATED = SimulatedSpec(timelines="/run/npu", npu_cores=3, service_ms=2.2, seed=7, classes=1000)
SPEC = WorkerSpec(
    index=2,
    npu_core=1,
    core_mask=2,
    cpus=(4, 5, 6, 7),
    runtime="rknn",
    model="/models/größe.rknn",
    input=InputHint(width=224, layout="NHWC", mean=(1.0, 2.0, 3.0)),
    decoder_cpus=(0, 1),
    decoders=2,
    decode="fast",
    max_pixels=100_000_000,
    simulated=None,
    run_dir="/run",
    inbox="ipc:///run/worker-2",
    sink="ipc:///run/sink",
)
ANSWERED = outcome(9)
REFUSED = outcome(10, answer=None, error=ItemError("missing", "no such file"))
INPUT = InputSpec(width=224, height=160, layout="NCHW", dtype="float32", std=(58.0, 57.0, 57.5))
MESSAGES: dict[str, Message] = {
    "batch of files": Batch(1, (Item(0, FileRef(b"/caf\xe9/\xff.jpg")), Item(2**40, FileRef(b"")))),
    "batch of bytes": Batch(2, (Item(3, Encoded(b"\xff\xd8\xff\x00")),)),
    "batch of pixels": Batch(3, (Item(4, Pixels(bytes(range(12)), 2, 2)),)),
    "batch of what was refused": Batch(
        8,
        (Item(5, Refused("unreadable", "why", b"\xed\xa0\x80")), Item(6, Refused("a", "b", None))),
    ),
    "empty batch": Batch(4, ()),
    "stop": Stop(),
    "ready": Ready(
        worker=1,
        generation=3,
        model="c0ffee",
        input=INPUT,
        classes=1001,
        reading="SOFTMAX",
        self_test_ms=2.5,
    ),
    "done": Done(worker=1, generation=0, batch=5, outcomes=(ANSWERED, REFUSED)),
    "done with nothing": Done(worker=1, generation=0, batch=5, outcomes=()),
    "failed": Failed(worker=0, generation=1, message="RKNN 'x' returned -1: …"),
    "init on a board": WorkerInit(SPEC, 0),
    "init of a simulated worker": WorkerInit(replace(SPEC, core_mask=None, simulated=SIMULATED), 4),
}
EACH_MESSAGE = pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES.keys())


def raw(message: Message) -> list[Any]:
    array: list[Any] = msgpack.unpackb(wire.encode(message))
    return array


def packed(value: Any) -> bytes:
    data: bytes = msgpack.packb(value)
    return data


def changed(array: list[Any], at: int, value: Any) -> list[Any]:
    return [*array[:at], value, *array[at + 1 :]]


def spoilt(array: list[Any], wrong: Any) -> Iterator[list[Any]]:
    """Each array that has `wrong` in one place, where another kind of value has been."""
    for at, part in enumerate(array):
        if type(part) is not type(wrong) and part is not None:
            yield changed(array, at, wrong)
        if type(part) is list:
            yield from (changed(array, at, inner) for inner in spoilt(part, wrong))


def shows_an_error(array: Any) -> None:
    with pytest.raises(WireError):
        wire.decode(packed(array))


@EACH_MESSAGE
def test_a_message_comes_back_equal(message: Message) -> None:
    back = wire.decode(wire.encode(message))
    assert back == message
    assert type(back) is type(message)


def test_every_kind_of_message_is_tried_here() -> None:
    assert {type(message) for message in MESSAGES.values()} == set(get_args(Message))


def test_arrays_come_back_as_tuples() -> None:
    back = wire.decode(wire.encode(MESSAGES["done"]))
    assert isinstance(back, Done)
    assert type(back.outcomes) is tuple
    answer = back.outcomes[0].answer
    assert isinstance(answer, Ranked)
    assert {type(pair) for pair in (answer.top5, *answer.top5)} == {tuple}


@pytest.mark.parametrize("number", [math.inf, -math.inf, 5e-324, 1.7976931348623157e308])
def test_extreme_floats_come_back(number: float) -> None:
    message = Done(worker=0, generation=0, batch=0, outcomes=(replace(ANSWERED, started=number),))
    assert wire.decode(wire.encode(message)) == message


@pytest.mark.parametrize(
    "message",
    [
        WorkerInit(replace(SPEC, model=os.fsdecode(b"/caf\xe9/\xff.rknn")), 0),
        Failed(worker=0, generation=0, message=os.fsdecode(b"/caf\xe9: gone")),
    ],
)
def test_names_that_are_not_utf8_come_back(message: Message) -> None:
    assert wire.decode(wire.encode(message)) == message


@pytest.mark.parametrize(
    ("tag", "message"), [(0, "empty batch"), (1, "stop"), (2, "ready"), (3, "done"), (4, "failed")]
)
def test_the_format_of_version_3_is_kept(tag: int, message: str) -> None:
    assert raw(MESSAGES[message])[:2] == [3, tag]


def test_the_smallest_message_is_its_version_and_tag() -> None:
    assert wire.decode(packed([3, 1])) == Stop()


@EACH_MESSAGE
@pytest.mark.parametrize("version", [0, 1, 2, 4, -3, "3", 3.0, True, None, [3], {}])
def test_another_version_is_refused(message: Message, version: Any) -> None:
    with pytest.raises(WireError, match="version"):
        wire.decode(packed(changed(raw(message), 0, version)))


@EACH_MESSAGE
@pytest.mark.parametrize("tag", [6, 7, 15, 16, 99, -1, 2**63, "0", 0.0, False, None, [0], {}])
def test_a_tag_of_no_message_is_refused(message: Message, tag: Any) -> None:
    shows_an_error(changed(raw(message), 1, tag))


@EACH_MESSAGE
def test_the_tag_of_another_message_is_refused(message: Message) -> None:
    array = raw(message)
    others = {raw(other)[1] for other in MESSAGES.values() if len(raw(other)) != len(array)}
    for tag in others - {array[1]}:
        shows_an_error(changed(array, 1, tag))


@EACH_MESSAGE
def test_a_field_too_few_or_too_many_is_refused(message: Message) -> None:
    array = raw(message)
    shows_an_error(array[:-1])
    shows_an_error([*array, 0])
    shows_an_error([*array, None])


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("batch of pixels", (3, 0)),  # the item
        ("batch of pixels", (3, 0, 2)),  # its source
        ("ready", (5,)),  # the input
        ("done", (5, 0)),  # the outcome
        ("done", (5, 1, 3)),  # its error
        ("init on a board", (2,)),  # the spec
        ("init on a board", (2, 7)),  # the input, of which every field has a default
        ("init of a simulated worker", (2, 12)),  # the simulated NPU
    ],
)
def test_a_part_with_a_field_too_few_or_too_many_is_refused(
    name: str, path: tuple[int, ...]
) -> None:
    array = raw(MESSAGES[name])
    part = array
    for at in path:
        part = part[at]
    last = part.pop()
    shows_an_error(array)
    part.extend([last, last])
    shows_an_error(array)
    part.pop()
    assert wire.decode(packed(array)) == MESSAGES[name]


@EACH_MESSAGE
@pytest.mark.parametrize("wrong", [True, 3, 3.5, "text", b"bytes", [], {}, {"a": 1}], ids=repr)
def test_a_value_of_another_kind_is_refused_wherever_it_stands(
    message: Message, wrong: Any
) -> None:
    for array in spoilt(raw(message), wrong):
        shows_an_error(array)


@pytest.mark.parametrize("name", ["batch of files", "batch of pixels", "stop", "ready", "failed"])
def test_nothing_is_refused_where_something_must_be(name: str) -> None:
    for array in spoilt(raw(MESSAGES[name]), None):
        shows_an_error(array)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("core_mask", True),
        ("core_mask", 1.0),
        ("core_mask", []),
        ("simulated", 3),
        ("simulated", []),
        ("simulated", [99, 1]),
        ("simulated", [1]),
        ("cpus", {}),
        ("cpus", ["4"]),
        ("cpus", [True]),
        ("cpus", [[4]]),
        ("input", None),
        ("model", b"m.rknn"),
    ],
)
def test_a_wrong_field_inside_an_init_is_refused(field: str, wrong: Any) -> None:
    names = [part.name for part in fields(WorkerSpec)]
    version, tag, spec, generation = raw(WorkerInit(SPEC, 0))
    shows_an_error([version, tag, changed(spec, names.index(field) + 1, wrong), generation])


@pytest.mark.parametrize("top5", [3, [7, 0.5], [[7]], [[7, 0.5, 1]], [[7, 1]], [[0.5, 7]], [{}]])
def test_a_top_5_that_is_no_list_of_class_and_score_is_refused(top5: Any) -> None:
    version, tag, worker, generation, batch, (first, _) = raw(MESSAGES["done"])
    place = 1 + [part.name for part in fields(Outcome)].index("answer")
    wrong = [changed(first, place, [first[place][0], top5])]
    shows_an_error([version, tag, worker, generation, batch, wrong])


@pytest.mark.parametrize(
    "value", [None, True, 1, 1.0, "text", b"bytes", [], {}, {"version": 1}, [[]], [1], [1, None]]
)
def test_what_is_no_array_of_version_and_tag_is_refused(value: Any) -> None:
    shows_an_error(value)


@EACH_MESSAGE
def test_a_message_cut_short_or_run_on_is_refused(message: Message) -> None:
    data = wire.encode(message)
    for rubbish in [*(data[:size] for size in range(len(data))), data + b"\x00", data + data]:
        with pytest.raises(WireError):
            wire.decode(rubbish)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\xff" * 100,
        b"\x92\x01\xd9\x02\xff\xfe",
        b"\xdd\xff\xff\xff\xff\x01",
        b"\x92\x01\xd4\x05\x00",
        b"\x92\x01\xd5\xff\x00\x00",
        b"\x92\x01\x81\x90\x01",
    ],
    ids=["empty", "unused", "http", "ones", "not utf8", "huge", "ext", "bad time", "list as key"],
)
def test_bytes_that_are_no_message_are_refused(data: bytes) -> None:
    with pytest.raises(WireError):
        wire.decode(data)


@pytest.mark.parametrize("start", [b"", b"\x92\x01", b"\x93\x01\x00"])
@pytest.mark.parametrize("depth", [100, 1000, 1020, 5000])
def test_deeply_nested_arrays_are_refused(start: bytes, depth: int) -> None:
    with pytest.raises(WireError):
        wire.decode(start + b"\x91" * depth + b"\x90")


def test_a_list_longer_than_any_batch_is_refused() -> None:
    with pytest.raises(WireError, match="4096"):
        wire.decode(wire.encode(Done(worker=0, generation=0, batch=0, outcomes=(ANSWERED,) * 4097)))


@pytest.mark.parametrize(("answer", "error"), [(None, None), (ANSWERED.answer, REFUSED.error)])
def test_an_outcome_with_neither_or_both_of_answer_and_error_is_refused(
    answer: Any, error: Any
) -> None:
    names = [part.name for part in fields(Outcome)]
    *start, (first, _) = raw(MESSAGES["done"])
    refusal = raw(MESSAGES["done"])[-1][1][1 + names.index("error")]
    wrong = changed(first, 1 + names.index("answer"), first[2] if answer else None)
    wrong = changed(wrong, 1 + names.index("error"), refusal if error else None)
    shows_an_error([*start, [wrong]])
