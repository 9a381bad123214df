from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from farm.cluster.soundness import flaw, is_of
from farm.results.result import DetectedObject, Prediction
from tests.unit.farm.cluster.test_messages import MS, result
from workers.protocol.messages import ItemError

NONE = float("nan")
CLASS = Prediction(1, "a", 0.5)
OBJECT = DetectedObject(1, "a", 0.5, (0.0, 1.0, 2.0, 3.0))
SIZE = (4, 3)


@pytest.mark.parametrize(
    ("fields", "has_output"),
    [
        ({"top5": (CLASS,)}, False),
        ({"top5": ()}, False),
        ({"objects": (OBJECT,), "size": SIZE, "board": "rk3588 of the gate"}, False),
        ({"objects": (), "size": SIZE}, False),
        ({"error": ItemError("not_a_file", "any \x1b text")}, False),
        ({"read_at": 1.7e9}, True),
    ],
)
def test_what_a_farm_makes_is_sound(fields: dict[str, Any], has_output: bool) -> None:
    assert flaw(result(**fields), has_output=has_output) is None


@pytest.mark.parametrize(
    ("fields", "has_output"),
    [
        ({}, False),
        ({"top5": (CLASS,), "error": ItemError("missing", "")}, False),
        ({"top5": (CLASS,)}, True),
        ({"output": [[[]]]}, False),
        ({"output": 1}, True),
        ({"top5": (CLASS,) * 6}, False),
        ({"objects": (OBJECT,)}, False),
        ({"top5": (CLASS,), "size": SIZE}, False),
        ({"top5": (Prediction(1, "a", NONE),)}, False),
        ({"objects": (DetectedObject(1, "a", 0.5, (0.0, 1.0, NONE, 3.0)),), "size": SIZE}, False),
        ({"top5": (CLASS,), "ms": replace(MS, total=float("inf"))}, False),
        ({"top5": (CLASS,), "read_at": NONE}, False),
        ({"top5": (CLASS,), "board": "a\x1b[2Jb"}, False),
        ({"top5": (CLASS,), "board": "b" * 65}, False),
        ({"top5": (CLASS,), "board": ""}, False),
        ({"error": ItemError("\x1b[2J", "")}, False),
        ({"error": ItemError("k" * 41, "")}, False),
    ],
)
def test_what_no_farm_makes_has_a_flaw(fields: dict[str, Any], has_output: bool) -> None:
    assert flaw(result(**fields), has_output=has_output) is not None


def test_a_result_is_of_its_task_or_an_error() -> None:
    results = {
        "classify": result(top5=(CLASS,)),
        "detect": result(objects=(OBJECT,), size=SIZE),
        "mine:count": result(),
    }
    for task in results:
        assert [name for name, each in results.items() if is_of(task, each)] == [task]
        assert is_of(task, result(error=ItemError("missing", "")))
