"""Which workers may work side by side: those that give the same answers."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from farm.scheduler.same_model import difference
from tests.helpers.support import worker_spec
from workers.protocol.messages import Ready
from workers.protocol.spec import NHWC, UINT8, InputSpec

INPUT = InputSpec(width=224, height=224, layout=NHWC, dtype=UINT8)
SPEC = worker_spec(model="net.onnx")
FIRST = Ready(
    worker=0,
    generation=1,
    model="c0ffee",
    input=INPUT,
    classes=36,
    reading="SOFTMAX",
    self_test_ms=2.0,
)


def test_another_start_or_worker_with_the_same_model_joins() -> None:
    later = replace(FIRST, worker=5, generation=7, self_test_ms=9.0)
    assert difference(FIRST, later, SPEC) is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model": "decaf"}, "net.onnx has changed since the farm started"),
        ({"input": replace(INPUT, width=160)}, "net.onnx has other inputs"),
        ({"input": replace(INPUT, mean=(1.0, 2.0, 3.0))}, "net.onnx has other inputs"),
        ({"classes": 37}, "net.onnx has other inputs or classes"),
        ({"reading": "PROBABILITIES"}, "set output: softmax"),
    ],
)
def test_one_with_another_model_does_not(change: dict[str, Any], said: str) -> None:
    assert said in str(difference(FIRST, replace(FIRST, **change), SPEC))


def test_one_with_another_version_of_the_users_task_does_not() -> None:
    later = replace(FIRST, reading="mine 0123456789ab")
    said = str(difference(FIRST, later, replace(SPEC, task="mine:f")))
    assert "the module of the task mine:f has changed since the farm started" in said
