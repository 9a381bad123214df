from __future__ import annotations

import pytest

from farm.events import Deliver, Task
from farm.results import from_delivery
from workers.wire import FileRef, Item, Outcome


def named(class_id: int, labels: tuple[str, ...] | None) -> str | None:
    outcome = Outcome(
        item=3,
        top5=((class_id, 0.5),),
        error=None,
        started=1.0,
        decode_ms=1.0,
        wait_ms=1.0,
        infer_ms=1.0,
    )
    ended = Deliver(Task(Item(3, FileRef(b"a.jpg")), 0.0), 0, outcome)
    result = from_delivery(ended, labels, simulated=False, now=2.0)
    assert result.top5 is not None
    assert result.top5[0].class_id == class_id
    return result.top5[0].label


def test_a_class_has_the_label_of_its_number() -> None:
    assert named(1, ("cat", "dog")) == "dog"
    assert named(1, None) is None


@pytest.mark.parametrize("class_id", [-1, 2, 10**9])
def test_a_number_that_is_no_class_gets_no_name_and_ends_nothing(class_id: int) -> None:
    assert named(class_id, ("cat", "dog")) is None
