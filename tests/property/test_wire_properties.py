from __future__ import annotations

import msgpack
from hypothesis import given
from hypothesis import strategies as st

from workers import wire
from workers.errors import WireError

ints = st.integers(min_value=-(2**63), max_value=2**63 - 1)
texts = st.text(max_size=20)
blobs = st.binary(max_size=50)
floats = st.floats(allow_nan=False)
sources = st.one_of(
    st.builds(wire.FileRef, blobs),
    st.builds(wire.Encoded, blobs),
    st.builds(wire.Pixels, blobs, ints, ints),
)
batches = st.builds(
    wire.Batch, ints, st.lists(st.builds(wire.Item, ints, sources), max_size=4).map(tuple)
)
outcomes = st.builds(
    wire.Outcome,
    item=ints,
    top5=st.none() | st.lists(st.tuples(ints, floats), max_size=5).map(tuple),
    error=st.none() | st.builds(wire.ItemError, texts, texts),
    started=floats,
    decode_ms=floats,
    wait_ms=floats,
    infer_ms=floats,
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


def _decode_or_refuse(data: bytes) -> None:
    try:
        message = wire.decode(data)
    except WireError:
        return
    # NaN is not equal to itself: compare what would be sent again.
    assert wire.encode(wire.decode(wire.encode(message))) == wire.encode(message)
