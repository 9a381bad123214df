"""What own tasks return: any plain data is valid JSON, one cell, and one line."""

from __future__ import annotations

import json
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.results.output_format import OutputFormat, as_plain_json
from farm.system.terminal import UNLIMITED
from tests.helpers.results import result
from workers.errors import WireError
from workers.protocol.messages import DEEPEST_OUTPUT, Output, depth_of

answers = OutputFormat()
KEYS = st.none() | st.booleans() | st.integers(-9, 99) | st.floats() | st.text() | st.binary()
NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats()
PLAIN = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


@given(PLAIN)
def test_whatever_a_worker_may_send_is_valid_json(value: Any) -> None:
    sent = Output(msgpack.packb(value)).value()
    written = json.dumps(answers.as_json(result(output=sent)))
    assert json.loads(written, parse_constant=refuse)["output"] == as_plain_json(sent)
    (cell,) = next(answers.as_cells(result(output=sent)))
    assert json.loads(cell, parse_constant=refuse) == as_plain_json(sent)
    assert answers.as_text(result(output=sent), 60).isprintable()


@given(PLAIN)
def test_what_is_json_already_is_not_changed(value: Any) -> None:
    once = as_plain_json(value)
    assert as_plain_json(once) == once


@pytest.mark.parametrize(
    ("value", "as_json"),
    [
        (b"\xff\0", "/wA="),
        ([1.5, float("nan"), float("-inf")], [1.5, None, None]),
        (
            {7: "a", None: "b", True: "c", 2.5: "d"},
            {"7": "a", "null": "b", "true": "c", "2.5": "d"},
        ),
        ({b"\xff": b""}, {"/w==": ""}),
        ({"boxes": [(1, 2)], "size": {"w": 3}}, {"boxes": [[1, 2]], "size": {"w": 3}}),
        ({1: "a", "1": "b"}, [[1, "a"], ["1", "b"]]),
    ],
)
def test_what_json_lacks_has_a_form_in_it(value: Any, as_json: Any) -> None:
    assert json.loads(json.dumps(as_plain_json(value))) == as_json


@pytest.mark.parametrize("level", [b"\x91", b"\x81\xa0"], ids=["lists", "dicts"])
def test_the_deepest_output_is_json_that_can_be_read(level: bytes) -> None:
    deepest = Output(level * DEEPEST_OUTPUT + b"\xc0").value()
    assert depth_of(json.loads(json.dumps(as_plain_json(deepest)))) == DEEPEST_OUTPUT
    with pytest.raises(WireError, match="101 deep in each other; 100 are the most"):
        Output(level * 101 + b"\xc0")


@pytest.mark.parametrize(
    ("value", "depth"), [(1, 0), ([], 1), ({}, 1), ([1, [], {"a": [[2]]}, 3], 4), (["a", b"b"], 1)]
)
def test_how_deep_an_output_is(value: Any, depth: int) -> None:
    assert depth_of(value) == depth


def test_a_line_is_compact_json() -> None:
    plate = result(output={"plate": "京A", "score": 0.5, "box": [1, 2]})
    line = answers.as_text(plate, UNLIMITED)
    assert line == '/a.jpg: {"plate":"京A","score":0.5,"box":[1,2]}'


@pytest.mark.parametrize(("width", "shown"), [(29, 29), (28, 28), (5, 28)])
def test_a_line_is_cut_where_the_terminal_ends(width: int, shown: int) -> None:
    whole = '/a.jpg: "0123456789abcdefghi"'
    line = answers.as_text(result(output="0123456789abcdefghi"), width)
    assert line == (whole if len(whole) <= shown else f"{whole[: shown - 3]}...")


def test_a_simulated_line_says_so() -> None:
    assert answers.as_text(result(output=[], simulated=True), 80) == "/a.jpg: simulated: []"


def test_nothing_is_an_output_too() -> None:
    assert answers.as_text(result(output=None), 80) == "/a.jpg: null"
    assert list(answers.as_cells(result(output=None))) == [("null",)]
