from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.cluster.messages import (
    Answered,
    Answers,
    Data,
    Job,
    Parcel,
    Shared,
    Stored,
    decode,
    encode,
)
from farm.errors import HubError
from farm.results.result import DetectedObject, Prediction, Result, Timings
from workers.protocol.messages import ItemError, Output

RUN, OTHER = "ab" * 10, "cd" * 10
ONE = Output(b"\x01")
MS = Timings(queue=1.0, decode=2.0, wait=0.5, infer=3.0, total=7.0)


def result(**fields: object) -> Result:
    known: dict[str, object] = {"id": 3, "path": None, "error": None, "worker": 1, "attempts": 1}
    return Result(**{**known, "ms": MS, "simulated": False, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "message",
    [
        Job(RUN, (Parcel(1, b"a\xff.jpg", Data(b"123")), Parcel(2, None, Shared(b"p")))),
        Job(RUN, (Parcel(1, b"a", Stored(f"{RUN}.{OTHER}", 9, bytes(32)), (4000, 3000)),)),
        Answers(
            RUN,
            (
                Answered(b"\xff", result(top5=(Prediction(1, "a", 0.5),)), None),
                Answered(
                    None,
                    result(
                        objects=(DetectedObject(0, None, 0.5, (0.0, 1.0, 2.0, 3.0)),), size=(4, 3)
                    ),
                    None,
                ),
                Answered(None, result(error=ItemError("missing", "no such file")), None),
                Answered(None, result(), Output(b"\x01")),
            ),
        ),
    ],
)
def test_a_message_comes_back_equal(message: Job | Answers) -> None:
    assert decode(encode(message)) == message


GOOD = encode(Job(RUN, (Parcel(1, b"a", Data(b"123")),)))


@given(st.one_of(st.binary(max_size=200), st.integers(0, len(GOOD) - 1).map(lambda n: GOOD[:n])))
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(HubError):
        decode(data)


@pytest.mark.parametrize(
    "raw",
    [
        [2, [4, RUN, [[3, 1, b"a", [0, b""], None]]]],  # another version
        [1, [4, "../../x", [[3, 1, b"a", [0, b""], None]]]],  # a subject's dots
        [1, [4, RUN, []]],
        [1, [4, RUN, [[3, -1, b"a", [0, b""], None]]]],
        [1, [4, RUN, [[3, 1, b"a" * 9000, [0, b""], None]]]],
        [1, [4, RUN, [[3, 1, b"a", [2, "x" * 100, 1], None]]]],
        [1, [4, RUN, [[3, 1, b"a", [0, b""], None]] * 5000]],
        [1, [9, RUN]],
    ],
)
def test_a_message_out_of_bounds_is_refused(raw: object) -> None:
    with pytest.raises(HubError):
        decode(msgspec.msgpack.encode(raw))


@pytest.mark.parametrize(
    ("answered", "output"),
    [
        (result(top5=(Prediction(1, "a", float("nan")),)), None),
        (result(error=ItemError("\x1b[2J", "")), None),
        (result(), b"\x91" * 1000 + b"\x01"),  # lists in each other
        (result(), b"\xc4\xff\xff\xff\xff" + bytes(200_000)),
        (result(), b"\xc1"),
        (result(output=[1]), None),
    ],
)
def test_answers_that_no_board_makes_are_refused(answered: Result, output: bytes | None) -> None:
    good = Answers(RUN, (Answered(None, answered, None if output is None else ONE),))
    data = encode(good)
    if output is not None:
        data = data.replace(msgspec.msgpack.encode(ONE), msgspec.msgpack.encode([19, output]))
    with pytest.raises(HubError):
        decode(data)


def test_objects_in_each_other_for_ever_are_refused() -> None:
    with pytest.raises(HubError):
        decode(b"\x92\x01" + b"\x91" * 1_000_000)
