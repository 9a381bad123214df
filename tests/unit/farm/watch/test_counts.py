from __future__ import annotations

import pytest

from farm.scheduler.events import Deliver, Job
from farm.watch.counts import Counts
from farm.watch.snapshot import BOUNDS_MS
from workers.protocol.messages import FileRef, Item, ItemError, Outcome, Ranked


def ended(worker: int, *, error: ItemError | None = None, infer_ms: float = 4.0) -> Deliver:
    answer = None if error else Ranked(((1, 1.0),))
    outcome = Outcome(
        item=1, answer=answer, error=error, started=1.0, decode_ms=2.0, wait_ms=1.0,
        infer_ms=infer_ms, task_ms=0.0,
    )  # fmt: skip
    return Deliver(Job(Item(1, FileRef(b"a.jpg")), 0.5), worker, outcome)


def test_images_count_by_worker_and_errors_by_kind() -> None:
    counts = Counts(0.0)
    for worker in (0, 0, 2):
        counts.add(ended(worker), 1.5)
    counts.add(ended(0, error=ItemError("missing", "no such file")), 1.5)
    counts.add(Deliver(ended(0).job, 1, ItemError("worker_died", "three times")), 1.5)
    assert counts.ok == 3
    assert counts.totals.images == {0: 2, 2: 1}
    assert counts.totals.failures == {"missing": 1, "worker_died": 1}


def test_the_rate_is_that_of_the_last_seconds() -> None:
    counts = Counts(0.0)
    for second in range(1, 31):
        for _ in range(10 if second <= 20 else 40):
            counts.add(ended(0), second - 0.5)
        counts.mark(float(second))
    assert counts.rate(30.0) == 40.0
    assert counts.rate(35.0) < 40.0


def test_percentiles_are_of_the_last_seconds_and_buckets_of_all() -> None:
    counts = Counts(0.0)
    for second in range(1, 31):
        counts.add(ended(0, infer_ms=2.0 if second <= 15 else 40.0), float(second))
        counts.mark(float(second))
    infer = counts.stages()["infer"]
    assert infer.p50 == pytest.approx(40.0, rel=0.02)
    assert infer.count == 30
    assert infer.sum_ms == pytest.approx(15 * 2 + 15 * 40)
    upto = dict(zip(BOUNDS_MS, infer.buckets, strict=True))
    assert (upto[1.0], upto[2.5], upto[25.0], upto[50.0], upto[60000.0]) == (0, 15, 15, 30, 30)
    assert counts.worker_ms(0)["infer"] == pytest.approx(40.0)
    assert counts.worker_ms(7) == {}


def test_an_idle_farm_has_no_rate_and_no_percentiles() -> None:
    counts = Counts(0.0)
    counts.add(ended(0), 0.5)
    for second in range(1, 30):
        counts.mark(float(second))
    assert counts.rate(30.0) == 0.0
    assert counts.stages()["infer"].p99 == 0.0
    assert Counts(5.0).rate(5.0) == 0.0
