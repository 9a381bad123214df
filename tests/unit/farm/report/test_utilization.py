"""How busy each thing was: shares of what there is of it."""

from __future__ import annotations

from typing import Any

import pytest

from farm.report.utilization import COMPUTED, KERNEL, SIMULATED, Shares, shares
from farm.results.stats import PHASES
from tests.helpers.figures import a_round, conditions, measured


def found(*, simulated: bool = False, service_ms: float | None = None, **changes: Any) -> Shares:
    return shares(measured(**changes), simulated=simulated, service_ms=service_ms)


@pytest.mark.parametrize(
    ("arguments", "source", "share"),
    [
        ({"simulated": True, "service_ms": 1.5}, SIMULATED, 0.5),
        ({"conditions": conditions(), "service_ms": 1.5}, KERNEL, 0.5),
        ({"service_ms": 2.4}, COMPUTED, 0.8),  # 1 ms an image on 3 cores
        ({"service_ms": 9.0}, COMPUTED, 1.0),
        ({}, "", None),
        ({"npu_cores": (), "service_ms": 1.5}, "", None),
    ],
)
def test_the_npus_share_says_where_it_is_from(
    arguments: dict[str, Any], source: str, share: float | None
) -> None:
    result = found(**arguments)
    assert result.npu_source == source
    assert result.npu == (share and pytest.approx(share))


def test_only_cores_with_a_runtime_count() -> None:
    rounds = (a_round(saturation=(0.9, 0.7, 0.0)),)
    assert found(simulated=True, npu_cores=(0, 1), rounds=rounds).npu == pytest.approx(0.8)


def test_cpu_time_is_of_all_cpus_or_of_the_workers_if_those_are_fuller() -> None:
    alone = found(rounds=(a_round(coordinator_cpu_ms=0.0, workers_cpu_ms=2.0),))
    assert (alone.cpus, alone.cpu_count) == pytest.approx((0.5, 4))
    shared = found(rounds=(a_round(workers_cpu_ms=2.0, others_cpus=4.0),))
    assert (shared.cpus, shared.cpu_count) == pytest.approx(((0.1 + 2.0 + 4.0) / 8, 8))
    assert shared.others == pytest.approx(0.5)
    assert shared.coordinator == pytest.approx(0.1)


def test_threads_share_their_work() -> None:
    means = {**dict.fromkeys(PHASES, 1.5), "decode": 4.8, "infer": 2.4}
    result = found(decoders=2, means=means)
    assert (result.decoders, result.runtimes) == pytest.approx((0.8, 0.8))


def test_no_share_is_above_one() -> None:
    busy = a_round(coordinator_cpu_ms=9.0, workers_cpu_ms=99.0, others_cpus=99.0)
    result = found(rounds=(busy,), means=dict.fromkeys(PHASES, 99.0))
    shares_of_one = result.cpus, result.others, result.coordinator, result.decoders, result.runtimes
    assert shares_of_one == (1.0,) * 5
