from __future__ import annotations

import time

import pytest

from farm.results.result import from_delivery
from farm.scheduler.events import Deliver, Job
from tests.helpers.support import outcome
from workers.protocol.messages import FileRef, Item, ItemError, Ranked


def named(class_id: int, labels: tuple[str, ...] | None) -> str | None:
    job = Job(Item(3, FileRef(b"a.jpg")), 12.0)
    ended = Deliver(job, 0, outcome(3, answer=Ranked(((class_id, 0.5),))))
    result = from_delivery(ended, labels, simulated=False, now=13.0)
    assert result.top5 is not None
    assert result.top5[0].class_id == class_id
    return result.top5[0].label


def test_a_class_has_the_label_of_its_number() -> None:
    assert named(1, ("cat", "dog")) == "dog"
    assert named(1, None) is None


@pytest.mark.parametrize("class_id", [-1, 2, 10**9])
def test_a_number_that_is_no_class_gets_no_name_and_ends_nothing(class_id: int) -> None:
    assert named(class_id, ("cat", "dog")) is None


def test_when_an_image_was_read_is_told_by_the_clock_on_the_wall() -> None:
    job, now = Job(Item(3, FileRef(b"a.jpg")), 12.0), 13.0
    answered = outcome(3, answer=Ranked(()))
    before = time.time() - now + answered.started
    found = from_delivery(Deliver(job, 0, answered), None, simulated=False, now=now).read_at
    assert found is not None
    assert before <= found <= time.time() - now + answered.started
    lost = Deliver(job, 0, ItemError("worker_died", "3 times"))
    assert from_delivery(lost, None, simulated=False, now=now).read_at is None
