"""Benchmarks of one size, each with the figures that prove its limit."""

from __future__ import annotations

from typing import Any, Final

from farm.report.bottleneck import Kind
from farm.report.data import Measured, Report
from farm.results.stats import PHASES
from tests.helpers.figures import a_round, conditions, measured, report

HOST: Final = {"npu_cores": 0, "simulated": False, "what": "ONNX Runtime on the CPU"}
REAL: Final = {"simulated": False, "what": "RKNN on the NPU"}


def means(**changes: float) -> dict[str, float]:
    return {**dict.fromkeys(PHASES, 1.5), **changes}


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


FULL_NPU: Final = (a_round(saturation=(0.97,) * 3),)
LOADED: Final = {"service_ms": None, "conditions": conditions()}
FULL_CPUS: Final = (a_round(saturation=(0.61,) * 3, workers_cpu_ms=1.86),)
TWO_CPUS: Final[dict[str, Any]] = {"cpus": (0, 1), "coordinator_cpus": (0, 1)}
OVERHEAD: Final = (a_round(coordinator_cpu_ms=0.8, workers_cpu_ms=1.1),)

# For each kind a benchmark that shows it, and how busy what limits it is.
LIMITS: Final[dict[Kind, tuple[Report, float]]] = {
    Kind.NPU: (report(measured(service_ms=2.6, rounds=FULL_NPU)), 0.97),
    Kind.NPU_OR_RUNTIMES: (report(measured(service_ms=2.85), **REAL), 0.95),
    # Where its thread is always busy, that the CPUs are full is no sign of decoding.
    Kind.TASK: (report(measured(**TWO_CPUS, rounds=FULL_CPUS, means=means(task=2.9))), 2.9 / 3),
    Kind.DECODING: (report(measured(**TWO_CPUS, rounds=FULL_CPUS)), 0.98),
    Kind.CPUS: (
        report(on_the_host(rounds=(a_round(workers_cpu_ms=1.8),), means=means(infer=1.2)), **HOST),
        0.95,
    ),
    Kind.OVERHEAD: (
        report(measured(**TWO_CPUS, rounds=OVERHEAD, means=means(decode=0.2, infer=0.1))),
        0.95,
    ),
    Kind.COORDINATOR: (report(measured(rounds=(a_round(coordinator_cpu_ms=0.96),))), 0.96),
    Kind.IDLE_CORES: (
        report(
            measured(runtimes=2, npu_cores=(0, 1), rounds=(a_round(saturation=(0.97, 0.97, 0.0)),))
        ),
        0.75,
    ),
    Kind.DECODERS: (report(measured(means=means(decode=2.9))), 2.9 / 3),
    Kind.IDLE_CPUS: (
        report(
            on_the_host(runtimes=1, rounds=(a_round(workers_cpu_ms=0.9),), means=means(decode=0.5)),
            **HOST,
        ),
        0.5,
    ),
    Kind.RUNTIMES: (
        report(measured(means=means(infer=2.8), rounds=(a_round(saturation=(0.71,) * 3),))),
        2.8 / 3,
    ),
    Kind.NOTHING: (report(measured()), 0.5),
}
# Those whose sentences hold what no other one's do.
MORE: Final[dict[str, Report]] = {
    "a kernel's load": report(
        measured(runtimes=9, **LOADED, rounds=(a_round(saturation=(0.96,) * 3),)), **REAL
    ),
    "computed, more were no better": report(
        averaging(1.0, 3, service_ms=2.85), averaging(0.99, 6, service_ms=None), **REAL
    ),
    "one runtime": report(
        measured(runtimes=1, npu_cores=(0,), means=means(infer=0.95, decode=0.5)), npu_cores=1
    ),
    "a plateau": report(*(averaging(ms, n) for n, ms in ((1, 2.7), (3, 0.92), (9, 0.90)))),
    "no plateau": report(averaging(2.0, 3), averaging(1.5, 6)),
    "disturbed": report(measured(rounds=(a_round(others_cpus=2.4),))),
}
