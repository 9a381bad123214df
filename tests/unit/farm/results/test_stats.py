"""Counts, rates, percentiles and accuracy of a run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from farm.results.result import Prediction, Result, Timings
from farm.results.stats import PHASES, SHOWN_FAILURES, RunSummary, Stats
from farm.results.truth import by_pattern
from tests.helpers.results import BUS, PERSON, detected
from workers.protocol.messages import ItemError


def times(ms: float = 1.0, **changes: float) -> Timings:
    return Timings(**(dict.fromkeys(PHASES, ms) | changes))


def right(*labels: str | None, worker: int = 0, **changes: Any) -> Result:
    top5 = tuple(Prediction(at, label, 0.9 - at / 10) for at, label in enumerate(labels))
    return Result(
        **{
            "id": 0,
            "path": "/a.jpg",
            "top5": top5 or (Prediction(0, None, 1.0),),
            "error": None,
            "worker": worker,
            "attempts": 1,
            "ms": times(),
            "simulated": False,
            **changes,
        }
    )


def wrong(kind: str) -> Result:
    return right(top5=None, error=ItemError(kind, "as it is"))


def counted(*results: Result, truth: str | None = None) -> Stats:
    """Count results whose paths tell the right label `truth`."""
    stats = Stats(truth=None if truth is None else by_pattern(r"^/truth-(.+)$"))
    for result in results:
        stats.count(result if truth is None else replace(result, path=f"/truth-{truth}"))
    return stats


def snapshot(*results: Result, truth: str | None = None, seconds: float = 1.0) -> RunSummary:
    return counted(*results, truth=truth).summary(seconds=seconds)


def judgement(*results: Result, truth: str | None) -> tuple[int, int, int]:
    shot = snapshot(*results, truth=truth)
    return shot.judged, shot.top1_right, shot.top5_right


def test_the_first_failure_is_kept() -> None:
    first = wrong("empty")
    assert counted(right(), first, wrong("missing")).first_failures[0] == first
    assert counted(right()).first_failures == []


def test_no_more_failures_are_kept_than_are_shown() -> None:
    stats = counted(*[wrong("missing")] * 99)
    assert len(stats.first_failures) == SHOWN_FAILURES
    assert stats.failures == {"missing": 99}


def test_objects_are_counted_by_class_the_most_frequent_first() -> None:
    twice = detected(BUS, PERSON, PERSON)
    one, other = counted(twice, detected(), right()), counted(twice, wrong("empty"))
    one.include(other)
    shot = one.summary(seconds=1.0)
    assert list(shot.objects.items()) == [("person", 4), ("bus", 2)]
    assert (shot.searched, shot.with_objects) == (3, 2)


def test_simulated_objects_have_no_names() -> None:
    assert snapshot(detected(BUS, simulated=True)).objects == {"class 5": 1}


def test_an_empty_run_is_all_zeros() -> None:
    shot = snapshot(seconds=0.0)
    assert (shot.ok, shot.failed, shot.ended, shot.judged) == (0, 0, 0, 0)
    assert (shot.rate, shot.average_ms) == (0.0, 0.0)
    assert shot.percentiles == dict.fromkeys(PHASES, (0.0, 0.0, 0.0))


def test_results_are_counted_by_worker_in_worker_order() -> None:
    shot = snapshot(right(worker=2), right(worker=0), right(worker=2))
    assert list(shot.per_worker.items()) == [(0, 1), (2, 2)]
    assert (shot.ok, shot.failed, shot.ended) == (3, 0, 3)


def test_failures_are_counted_by_kind_and_are_not_processed() -> None:
    shot = snapshot(wrong("missing"), right(), wrong("truncated"), wrong("missing"))
    assert shot.failures == {"missing": 2, "truncated": 1}
    assert (shot.ok, shot.failed, shot.ended) == (1, 3, 4)
    assert shot.per_worker == {0: 1}


def test_times_of_failures_are_not_in_the_percentiles() -> None:
    slow = right(top5=None, error=ItemError("missing", ""), ms=times(5000.0))
    assert snapshot(right(), slow).percentiles["total"] == pytest.approx((1.0, 1.0, 1.0))


def test_each_phase_has_percentiles_of_its_own() -> None:
    ms = Timings(queue=50.0, decode=3.0, wait=0.5, infer=2.0, total=55.5)
    found = snapshot(right(ms=ms)).percentiles
    assert {phase: p50 for phase, (p50, _, _) in found.items()} == {
        phase: pytest.approx(getattr(ms, phase), rel=0.01) for phase in PHASES
    }


def test_percentiles_are_the_50th_the_90th_and_the_99th() -> None:
    shot = snapshot(*(right(ms=times(float(ms))) for ms in range(1, 1001)))
    assert shot.percentiles["infer"] == pytest.approx((500.0, 900.0, 990.0), rel=0.02)


def test_busy_time_is_the_inference_time_of_each_worker() -> None:
    shot = snapshot(
        right(worker=0, ms=times(infer=2.0)),
        right(worker=1, ms=times(infer=5.0)),
        right(worker=0, ms=times(infer=3.0)),
    )
    assert shot.busy_ms == {0: 5.0, 1: 5.0}


def test_rate_and_average_count_processed_images_over_wall_clock_time() -> None:
    shot = snapshot(*[right()] * 8, wrong("missing"), seconds=2.0)
    assert (shot.rate, shot.average_ms) == (4.0, 250.0)


def test_losses_are_passed_on() -> None:
    stats = counted(right())
    stats.losses = 3
    assert stats.summary(seconds=1.0).losses == 3


def test_the_first_label_counts_for_top_1_and_any_for_top_5() -> None:
    results = (right("A", "B"), right("B", "A"), right("B", "C", "D", "E", "A"), right("B", "C"))
    assert judgement(*results, truth="A") == (4, 1, 3)


def test_without_a_known_truth_nothing_is_judged() -> None:
    assert judgement(right("A"), truth=None) == (0, 0, 0)


def test_failures_are_not_judged() -> None:
    assert judgement(right("A"), wrong("missing"), truth="A") == (1, 1, 1)


def test_make_believe_answers_are_never_judged() -> None:
    assert judgement(right("A", simulated=True), truth="A") == (0, 0, 0)


def test_a_snapshot_does_not_change_afterwards() -> None:
    stats = counted(right(), wrong("missing"))
    before = stats.summary(seconds=1.0)
    stats.count(right(worker=5))
    stats.count(wrong("truncated"))
    assert (before.ok, before.failures, before.per_worker) == (1, {"missing": 1}, {0: 1})
    assert before.busy_ms == {0: 1.0}


def test_two_parts_of_a_run_together_are_the_run() -> None:
    first = [right("a", ms=times(2.0)), wrong("empty"), right("b", "a", worker=2, ms=times(9.0))]
    second = [right("a", worker=2, ms=times(4.0)), wrong("damaged"), right("c")]
    together = counted(*first, truth="a")
    together.include(counted(*second, truth="a"))
    assert together.summary(seconds=1.0) == snapshot(*first, *second, truth="a")
    assert together.phases["total"].mean == pytest.approx((2 + 9 + 4 + 1) / 4)


def test_the_time_of_a_task_is_counted_unless_it_classifies() -> None:
    stats = Stats()
    stats.count(right(ms=times(8.0, task=3.0)))
    assert "task" not in stats.summary(seconds=1.0).percentiles
    stats.count(right(top5=None, output=1, ms=times(8.0, task=3.0)))
    other = Stats()
    other.include(stats)
    assert other.summary(seconds=1.0).percentiles["task"] == pytest.approx((3.0,) * 3, rel=0.01)
    assert other.durations()["task"].mean == pytest.approx(3.0)
