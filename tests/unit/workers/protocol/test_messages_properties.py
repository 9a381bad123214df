from __future__ import annotations

import tracemalloc
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.errors import WireError
from workers.protocol import messages as wire

ints = st.integers(min_value=-(2**63), max_value=2**63 - 1)
texts = st.text(max_size=20)
blobs = st.binary(max_size=50)
floats = st.floats(allow_nan=False)
sources = st.one_of(
    st.builds(wire.FileRef, blobs),
    st.builds(wire.Encoded, blobs),
    st.builds(wire.Pixels, blobs, ints, ints),
    st.builds(wire.Refused, texts, texts, st.none() | blobs),
)
batches = st.builds(
    wire.Batch, ints, st.lists(st.builds(wire.Item, ints, sources), max_size=4).map(tuple)
)
answers = st.one_of(
    st.builds(wire.Ranked, st.lists(st.tuples(ints, floats), max_size=5).map(tuple)),
    st.builds(
        wire.Detected,
        st.tuples(ints, ints),
        st.lists(st.tuples(ints, floats, st.tuples(*[floats] * 4)), max_size=3).map(tuple),
    ),
    st.builds(wire.Output, st.builds(msgpack.packb, floats | texts.map(repr) | st.lists(floats))),
)
errors = st.builds(wire.ItemError, texts, texts)
times = {
    "started": floats,
    **dict.fromkeys(("decode_ms", "wait_ms", "infer_ms", "task_ms"), floats),
}
outcomes = st.one_of(
    st.builds(wire.Outcome, item=ints, answer=answers, error=st.none(), **times),
    st.builds(wire.Outcome, item=ints, answer=st.none(), error=errors, **times),
)
done = st.builds(
    wire.Done,
    worker=ints,
    generation=ints,
    batch=ints,
    outcomes=st.lists(outcomes, max_size=4).map(tuple),
)
failed = st.builds(wire.Failed, worker=ints, generation=ints, message=texts)
messages = st.one_of(batches, done, failed, st.just(wire.Stop()))
plain = st.recursive(
    st.none() | st.booleans() | ints | floats | texts | blobs,
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=20,
)

# How msgpack announces, in four bytes: bytes, an extension, a text, an array, a map.
LENGTHS = [b"\xc6", b"\xc9", b"\xdb", b"\xdd", b"\xdf"]
MOST_BYTES = 40 << 20  # what msgpack's deepest nesting takes of the longest arrays, and some


@given(messages)
def test_decoding_undoes_encoding(message: wire.Message) -> None:
    assert wire.decode(wire.encode(message)) == message


@given(st.binary(max_size=300))
def test_random_bytes_give_a_message_or_a_wire_error(data: bytes) -> None:
    _decode_or_refuse(data)


@given(st.integers(0, 20), st.lists(plain, max_size=8))
def test_any_well_packed_rubbish_gives_a_message_or_a_wire_error(
    tag: int, fields: list[object]
) -> None:
    _decode_or_refuse(msgpack.packb([wire.VERSION, [tag, *fields]]))
    _decode_or_refuse(msgpack.packb([wire.VERSION, tag, *fields]))


@given(messages, st.data())
def test_a_damaged_message_gives_a_message_or_a_wire_error(
    message: wire.Message, data: st.DataObject
) -> None:
    packed = bytearray(wire.encode(message))
    at = data.draw(st.integers(0, len(packed) - 1))
    packed[at] = data.draw(st.integers(0, 255))
    _decode_or_refuse(bytes(packed))
    _decode_or_refuse(bytes(packed[:at]))


@given(messages, st.lists(st.integers(0, 10_000), min_size=1, max_size=8))
def test_flipped_bits_give_a_message_or_a_wire_error(message: wire.Message, at: list[int]) -> None:
    packed = bytearray(wire.encode(message))
    for place in at:
        packed[place // 8 % len(packed)] ^= 1 << place % 8
    _decode_or_refuse(bytes(packed))


@given(messages, plain, st.data())
def test_a_part_of_another_kind_gives_a_message_or_a_wire_error(
    message: wire.Message, rubbish: object, data: st.DataObject
) -> None:
    array = msgpack.unpackb(wire.encode(message), unicode_errors=wire.FILE_NAMES)
    _decode_or_refuse(msgpack.packb(_spoilt(array, rubbish, data), unicode_errors=wire.FILE_NAMES))


@given(messages, st.integers(1, 2**32 - 1), st.sampled_from(LENGTHS), st.data())
def test_an_announced_length_gives_a_message_or_a_wire_error(
    message: wire.Message, length: int, head: bytes, data: st.DataObject
) -> None:
    packed = wire.encode(message)
    at = data.draw(st.integers(0, len(packed)))
    announced = head + length.to_bytes(4, "big")
    _decode_or_refuse(packed[:at] + announced + packed[at:])
    _decode_or_refuse(packed[:at] + announced + packed[at + len(announced) :])


@pytest.mark.parametrize("start", [b"", b"\x92\x01", b"\x95\x01\x03\x00\x00\x00"])
@pytest.mark.parametrize("head", LENGTHS)
@pytest.mark.parametrize("depth", [1, 500, 1000, 100_000])
@pytest.mark.parametrize("length", [2, 1000, 100_000, 2**32 - 1])
def test_what_is_announced_takes_no_memory(
    start: bytes, head: bytes, depth: int, length: int
) -> None:
    bomb = start + (head + length.to_bytes(4, "big")) * depth + b"\x90" * min(length, 100_000)
    tracemalloc.start()
    with pytest.raises(WireError):
        wire.decode(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * len(bomb) + MOST_BYTES


def _spoilt(array: list[Any], rubbish: object, data: st.DataObject) -> list[Any]:
    """The array with `rubbish` in one place, at any depth."""
    at = data.draw(st.integers(0, len(array)))
    if at == len(array):
        return [*array, rubbish]
    inner = array[at]
    if isinstance(inner, list) and data.draw(st.booleans()):
        return [*array[:at], _spoilt(inner, rubbish, data), *array[at + 1 :]]
    return [*array[:at], rubbish, *array[at + 1 :]]


def _decode_or_refuse(data: bytes) -> None:
    try:
        message = wire.decode(data)
    except WireError:
        return
    # NaN is not equal to itself: compare what would be sent again.
    assert wire.encode(wire.decode(wire.encode(message))) == wire.encode(message)
