"""What a benchmark's figures mean: each limit with the measurement that proves it."""

from __future__ import annotations

from typing import Any

from farm.report.bottleneck import verdict
from farm.report.data import Measured
from farm.report.size_choice import enough
from farm.results.stats import PHASES
from tests.helpers.figures import a_round, conditions, measured, report


def means(**changes: float) -> dict[str, float]:
    return {**dict.fromkeys(PHASES, 1.5), **changes}


def said(*sizes: Measured, **changes: Any) -> str:
    """The one sentence about the limit."""
    (sentence,) = verdict(report(*sizes, **changes))
    return sentence


def real(**changes: Any) -> dict[str, Any]:
    return {"simulated": False, "what": "RKNN on the NPU", **changes}


def on_the_host(**changes: Any) -> Measured:
    values = {"npu_cores": (), "service_ms": None, "runtimes": 2, "cpus": (0, 1), **changes}
    values.setdefault("coordinator_cpus", (0, 1))
    return measured(**values)


def averaging(ms: float, runtimes: int, **changes: Any) -> Measured:
    return measured(
        runtimes=runtimes,
        rounds=(a_round(seconds=ms, saturation=(0.5 / ms,) * 3),),
        worker_mb=(24.0,) * runtimes,
        **changes,
    )


def test_full_cores_are_the_npus_limit() -> None:
    size = measured(service_ms=2.6, rounds=(a_round(saturation=(0.97, 0.97, 0.97)),))
    assert said(size) == (
        "NPU-bound: 3 runtimes reach 97 % of what 3 simulated NPU cores can do at 2.6 ms; "
        "more runtimes only cost memory (24 MB each)"
    )


def test_the_kernels_load_speaks_for_a_real_npu() -> None:
    size = measured(
        runtimes=9,
        service_ms=None,
        conditions=conditions(),
        rounds=(a_round(saturation=(0.96,) * 3),),
    )
    assert said(size, **real()) == (
        "NPU-bound: 9 runtimes keep 3 NPU cores 96 % busy, by the kernel's NPU load; "
        "more runtimes only cost memory (24 MB each)"
    )


def test_a_computed_ceiling_alone_does_not_prove_that_more_runtimes_are_of_no_use() -> None:
    assert said(measured(service_ms=2.85), **real()) == (
        "NPU-bound, or too few runtimes: 3 runtimes reach 95 % of what 3 NPU cores can do at "
        "2.85 ms (computed from the median inference); to know, measure size 6, too"
    )


def test_a_computed_ceiling_that_more_runtimes_did_not_lift_is_the_npus() -> None:
    sizes = averaging(1.0, 3, service_ms=2.85), averaging(0.99, 6, service_ms=None)
    _, limit = verdict(report(*sizes, **real()))
    assert limit.startswith(
        "NPU-bound: 3 runtimes reach 95 % of what 3 NPU cores can do at 2.85 ms"
    )
    assert "computed" in limit


def test_inferences_that_wait_for_each_other_tell_nothing_of_the_npu() -> None:
    size = measured(runtimes=6, service_ms=None, rounds=(a_round(saturation=(1.0, 1.0, 1.0)),))
    assert "NPU" not in said(size, **real())


def test_busy_cpus_are_the_decoders_limit() -> None:
    size = measured(
        cpus=(0, 1),
        coordinator_cpus=(0, 1),
        rounds=(a_round(saturation=(0.61,) * 3, workers_cpu_ms=1.86),),
    )
    assert said(size) == (
        "decode-bound: the workers' 2 CPUs are 98 % busy, the simulated NPU 61 %; "
        "try decode: fast or smaller photos"
    )


def test_what_is_fast_already_is_not_advised() -> None:
    size = measured(rounds=(a_round(workers_cpu_ms=3.9),), means=means(decode=3.0), decode="fast")
    assert said(size).endswith("; try decoder_cpu: all or smaller photos")


def test_cpus_that_only_the_coordinator_may_use_are_offered_to_the_workers() -> None:
    size = measured(rounds=(a_round(workers_cpu_ms=3.9),), means=means(decode=3.0))
    assert said(size).startswith("decode-bound: the workers' 4 CPUs are 98 % busy, ")
    assert said(size).endswith("; try decoder_cpu: all, decode: fast or smaller photos")


def test_cpus_that_are_busy_with_something_else_are_not_called_decode_bound() -> None:
    rounds = (a_round(coordinator_cpu_ms=0.8, workers_cpu_ms=1.1),)
    size = measured(
        cpus=(0, 1), coordinator_cpus=(0, 1), rounds=rounds, means=means(decode=0.2, infer=0.1)
    )
    assert said(size) == (
        "CPU-bound: the workers' 2 CPUs are 95 % busy, more than half of it not with images; "
        "raise batch"
    )


def test_a_coordinator_that_fills_a_cpu_is_the_limit() -> None:
    assert said(measured(rounds=(a_round(coordinator_cpu_ms=0.96),))) == (
        "coordinator-bound: it uses 96 % of one CPU, the simulated NPU 50 %; raise batch"
    )


def test_a_core_without_a_runtime_wants_one() -> None:
    size = measured(runtimes=2, npu_cores=(0, 1), rounds=(a_round(saturation=(0.97, 0.97, 0.0)),))
    assert said(size) == "too few runtimes: 1 of 3 NPU cores has no runtime; use size 3"


def test_a_core_that_was_left_out_wants_none() -> None:
    size = measured(runtimes=2, npu_cores=(0, 1), left_out=(2,))
    assert "has no runtime" not in said(size)


def test_one_decoder_thread_that_never_rests_wants_a_second() -> None:
    size = measured(means=means(decode=2.9))
    assert said(size) == (
        "decode-bound: each worker's 1 decoder thread is 97 % busy, the CPUs 35 %, the simulated "
        "NPU 50 %; try decoders: 2"
    )


def test_the_work_of_decoders_is_shared() -> None:
    size = measured(decoders=2, means=means(decode=5.8))
    assert said(size).startswith("decode-bound: each worker's 2 decoder threads are 97 % busy")
    assert said(size).endswith("try decoders: 3")


def test_runtimes_that_only_infer_while_their_cores_rest_want_company() -> None:
    size = measured(means=means(infer=2.8), rounds=(a_round(saturation=(0.71,) * 3),))
    assert said(size) == (
        "too few runtimes: they spend 93 % of their time in inference, the simulated NPU 71 %; "
        "try size 6"
    )


def test_a_single_runtime_is_spoken_of_as_one() -> None:
    size = measured(runtimes=1, npu_cores=(0,), means=means(infer=0.95, decode=0.5))
    assert said(size, npu_cores=1) == (
        "too few runtimes: it spends 95 % of its time in inference, the simulated NPU 50 %; "
        "try size 2"
    )


def test_where_nothing_is_full_all_shares_are_told() -> None:
    assert said(measured()) == (
        "nothing is at its limit: the workers' 4 CPUs are 35 % busy, the simulated NPU 50 %, the "
        "coordinator 10 % of one CPU; try size 6 or decoders: 2"
    )


def test_on_a_cpu_nothing_is_said_of_an_npu() -> None:
    host = {"npu_cores": 0, "simulated": False, "what": "ONNX Runtime on the CPU"}
    full = on_the_host(rounds=(a_round(workers_cpu_ms=1.8),), means=means(infer=1.2))
    assert said(full, **host) == (
        "CPU-bound: the workers' 2 CPUs are 95 % busy; an image takes 1.9 ms of CPU time, its "
        "inference 1.2 ms; try a smaller model"
    )
    photos = on_the_host(rounds=(a_round(workers_cpu_ms=1.8),), means=means(infer=0.9, decode=9.0))
    assert said(photos, **host).endswith("its inference 0.9 ms; try smaller photos")
    single = on_the_host(runtimes=1, rounds=(a_round(workers_cpu_ms=0.9),), means=means(decode=0.5))
    assert said(single, **host) == (
        "too few runtimes: 1 runtime for 2 CPUs; the workers' 2 CPUs are 50 % busy; use size 2"
    )


def test_the_smallest_size_near_the_best_is_enough() -> None:
    sizes = [averaging(ms, n) for n, ms in ((1, 2.7), (3, 0.92), (6, 0.91), (9, 0.90))]
    assert enough(sizes).runtimes == 3
    plateau, limit = verdict(report(*sizes))
    assert plateau == (
        "enough: 3 runtimes, at 0.92 ms per image, 98 % of the best rate; "
        "9 give 0.90 ms for 144 MB more"
    )
    assert "size" not in limit  # more of them were tried


def test_a_rate_that_still_rises_has_no_plateau() -> None:
    sizes = [averaging(ms, n) for n, ms in ((3, 2.0), (6, 1.5))]
    plateau, limit = verdict(report(*sizes))
    assert plateau == "the fastest of these sizes: 6 runtimes, at 1.50 ms per image"
    assert "try size 9" in limit


def test_no_size_is_advised_that_was_no_better() -> None:
    larger = averaging(1.0, 6)
    two = measured(runtimes=2, npu_cores=(0, 1))
    _, limit = verdict(report(two, larger))
    assert limit.startswith("nothing is at its limit")
    host = {"npu_cores": 0, "simulated": False}
    one, two = (on_the_host(runtimes=n, means=means(decode=0.5)) for n in (1, 2))
    _, limit = verdict(report(one, two, **host))
    assert limit.startswith("nothing is at its limit")


def test_other_programs_on_the_cpus_are_told() -> None:
    size = measured(rounds=(a_round(others_cpus=2.4),))
    assert verdict(report(size))[-1] == (
        "other programs used 30 % of the CPUs: measure again without them"
    )


def test_where_nothing_was_classified_there_is_no_verdict() -> None:
    assert verdict(report(measured(rounds=(a_round(images=0, failed=10),)))) == ()
