"""The slice of a round that a time line is drawn of."""

from __future__ import annotations

from typing import Any

import pytest

from farm.bench.trace import Slice
from farm.results.result import Prediction, Result, Timings
from workers.protocol.messages import ItemError

BEGUN = 1000.0  # seconds
MS = {"queue": 10.0, "decode": 2.0, "wait": 1.0, "infer": 3.0, "total": 20.0}


def result(**changes: Any) -> Result:
    values: dict[str, Any] = {
        "id": 0,
        "path": None,
        "top5": (Prediction(0, None, 1.0),),
        "error": None,
        "worker": 4,
        "attempts": 1,
        "ms": Timings(**MS),
        "simulated": True,
        **changes,
    }
    return Result(**values)


def spans_of(*ends_ms: float, **changes: Any) -> list[tuple[str, float, float]]:
    part = Slice(begun=BEGUN)
    for end in ends_ms:
        part.add(result(**changes), now=BEGUN + end / 1000)
    return [(span.phase, span.start, span.end) for span in part.spans()]


def test_an_images_times_are_counted_back_from_its_result() -> None:
    decode, infer = spans_of(600)  # submitted at 580 ms
    assert (decode[0], infer[0]) == ("decode", "infer")
    assert (*decode[1:], *infer[1:]) == pytest.approx((590.0, 592.0, 593.0, 596.0))


def test_only_a_slice_of_a_round_is_kept() -> None:
    starts = [start for _, start, _ in spans_of(*range(101, 2000, 10))]
    assert min(starts) > 490
    assert max(starts) < 650
    assert len(starts) == 2 * 15


def test_what_reaches_into_the_slice_is_in_it() -> None:
    # Decoded until 499 ms, which is too early; inferred from 500 to 503, which is not.
    assert [phase for phase, _, _ in spans_of(507)] == ["infer"]


def test_of_a_short_round_the_begin_is_kept() -> None:
    assert [round(start) for _, start, _ in spans_of(20, 60, 300)] == [10, 13, 50, 53]


def test_images_that_failed_have_no_times() -> None:
    assert spans_of(600, top5=None, error=ItemError("missing", "no such file")) == []


def test_spans_come_in_the_order_of_their_begin() -> None:
    starts = [start for _, start, _ in spans_of(600, 590, 595)]
    assert starts == sorted(starts)
