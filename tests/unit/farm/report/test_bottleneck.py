"""What limits a benchmark: each limit with the measurement that proves it, and what to change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from farm.report.bottleneck import Bottleneck, Kind, find_bottleneck
from farm.report.data import Measured
from farm.report.utilization import COMPUTED, KERNEL, SIMULATED
from tests.helpers.figures import a_round, measured, report
from tests.helpers.limits import (
    HOST,
    LIMITS,
    LOADED,
    REAL,
    averaging,
    means,
    on_the_host,
)

ADVICE = {
    Kind.NPU: [],
    Kind.NPU_OR_RUNTIMES: [("size", 6)],
    Kind.TASK: [("task", "faster")],
    Kind.DECODING: [("decode", "fast"), ("photos", "smaller")],
    Kind.CPUS: [("model", "smaller")],
    Kind.OVERHEAD: [("batch", "larger")],
    Kind.COORDINATOR: [("batch", "larger")],
    Kind.IDLE_CORES: [("size", 3)],
    Kind.DECODERS: [("decoders", 2)],
    Kind.IDLE_CPUS: [("size", 2)],
    Kind.RUNTIMES: [("size", 6)],
    Kind.NOTHING: [("size", 6), ("decoders", 2)],
}


def found(*sizes: Measured, **changes: Any) -> Bottleneck:
    result = find_bottleneck(report(*sizes, **changes))
    assert result is not None
    return result


def advice(bottleneck: Bottleneck) -> list[tuple[str, int | str]]:
    return [(each.key, each.value) for each in bottleneck.advice]


@pytest.mark.parametrize("kind", Kind)
def test_every_limit_is_found_with_how_busy_it_is_and_what_to_change(kind: Kind) -> None:
    whole, share = LIMITS[kind]
    result = find_bottleneck(whole)
    assert result is not None
    assert (result.kind, result.runtimes) == (kind, whole.sizes[0].runtimes)
    assert result.share == pytest.approx(share, abs=0.01)
    assert advice(result) == ADVICE[kind]


def test_the_kernels_load_counts_for_a_real_npu() -> None:
    full = found(measured(runtimes=9, **LOADED, rounds=(a_round(saturation=(0.96,) * 3),)), **REAL)
    assert (full.kind, full.shares.npu_source) == (Kind.NPU, KERNEL)
    assert full.share == pytest.approx(0.96)


def test_a_computed_limit_is_the_npus_only_if_more_runtimes_were_no_better() -> None:
    one, both = averaging(1.0, 3, service_ms=2.85), averaging(0.99, 6, service_ms=None)
    alone, compared = found(one, **REAL), found(one, both, **REAL)
    assert alone.kind is Kind.NPU_OR_RUNTIMES
    assert compared.kind is Kind.NPU
    assert alone.shares.npu_source == compared.shares.npu_source == COMPUTED
    assert compared.service_ms == 2.85


def test_inferences_that_wait_for_each_other_tell_nothing_of_the_npu() -> None:
    size = measured(runtimes=6, service_ms=None, rounds=(a_round(saturation=(1.0, 1.0, 1.0)),))
    result = found(size, **REAL)
    assert result.shares.npu is None
    assert result.kind is Kind.NOTHING


@pytest.mark.parametrize(
    ("changes", "ways"),
    [
        ({}, [("decoder_cpu", "all"), ("decode", "fast"), ("photos", "smaller")]),
        ({"decode": "fast"}, [("decoder_cpu", "all"), ("photos", "smaller")]),
        ({"coordinator_cpus": (4, 5, 6, 7)}, [("decode", "fast"), ("photos", "smaller")]),
    ],
)
def test_only_what_is_not_so_already_is_advised_for_full_cpus(
    changes: dict[str, Any], ways: list[tuple[str, str]]
) -> None:
    size = measured(rounds=(a_round(workers_cpu_ms=3.9),), means=means(decode=3.0), **changes)
    assert advice(found(size)) == ways


def test_on_a_host_a_smaller_model_is_advised_where_inference_is_most_of_the_time() -> None:
    rounds = (a_round(workers_cpu_ms=1.8),)
    photos = on_the_host(rounds=rounds, means=means(infer=0.9, decode=9.0))
    assert advice(found(photos, **HOST)) == [("photos", "smaller")]
    more = on_the_host(rounds=(a_round(workers_cpu_ms=1.9),), coordinator_cpus=(0, 1))
    assert advice(found(more, **HOST)) == [("model", "smaller")]


def test_a_core_that_was_left_out_needs_no_runtime() -> None:
    size = measured(runtimes=2, npu_cores=(0, 1), left_out=(2,))
    assert found(size).kind is not Kind.IDLE_CORES


def test_a_task_that_rests_is_no_limit_and_one_beside_resting_cpus_may_have_more_runtimes() -> None:
    assert found(measured(means=means(task=2.0))).kind is Kind.NOTHING
    busy = found(measured(means=means(task=2.9)))
    assert (busy.kind, advice(busy)) == (Kind.TASK, [("task", "faster"), ("size", 6)])


def test_a_full_npu_is_the_limit_also_of_a_busy_task() -> None:
    full = measured(service_ms=2.6, rounds=(a_round(saturation=(0.97,) * 3),))
    assert found(replace(full, means=means(task=2.9))).kind is Kind.NPU


def test_the_work_of_decoders_is_shared() -> None:
    result = found(measured(decoders=2, means=means(decode=5.8)))
    assert result.kind is Kind.DECODERS
    assert result.share == pytest.approx(5.8 / 6)
    assert advice(result) == [("decoders", 3)]


def test_it_is_about_the_smallest_size_that_is_enough() -> None:
    sizes = [averaging(ms, n) for n, ms in ((1, 2.7), (3, 0.92), (6, 0.91), (9, 0.90))]
    result = found(*sizes)
    assert result.runtimes == 3
    assert "size" not in dict(advice(result))  # more of them were tried


def test_where_the_rate_still_rises_a_larger_size_is_advised() -> None:
    assert ("size", 9) in advice(found(averaging(2.0, 3), averaging(1.5, 6)))


def test_no_size_is_advised_that_was_no_better() -> None:
    cores = found(measured(runtimes=2, npu_cores=(0, 1)), averaging(1.0, 6))
    one, two = (on_the_host(runtimes=n, means=means(decode=0.5)) for n in (1, 2))
    cpus = found(one, two, **HOST)
    for result in (cores, cpus):
        assert result.kind is Kind.NOTHING
        assert "size" not in dict(advice(result))


def test_where_the_npu_is_simulated_its_own_account_is_taken() -> None:
    assert found(measured()).shares.npu_source == SIMULATED


def test_where_nothing_was_classified_there_is_no_bottleneck() -> None:
    assert find_bottleneck(report(measured(rounds=(a_round(images=0, failed=10),)))) is None
