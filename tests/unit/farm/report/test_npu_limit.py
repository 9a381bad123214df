"""What an NPU can do, and how much of it was used."""

from __future__ import annotations

import pytest

from farm.report.npu_limit import limit_rate, mean_saturation
from tests.helpers.figures import a_round, measured, report


def test_the_limit_is_the_cores_over_the_time_of_an_inference() -> None:
    sizes = measured(runtimes=6, service_ms=None), measured(service_ms=2.6)
    assert limit_rate(report(*sizes)) == pytest.approx(3000 / 2.6)


@pytest.mark.parametrize(
    ("cores", "service_ms"), [(0, None), (3, None), (0, 2.6)], ids=["CPU", "unknown", "no cores"]
)
def test_what_is_not_known_is_no_limit(cores: int, service_ms: float | None) -> None:
    assert limit_rate(report(measured(service_ms=service_ms), npu_cores=cores)) is None


def test_idle_cores_count_but_not_those_that_the_config_leaves_to_others() -> None:
    size = measured(runtimes=2, rounds=(a_round(saturation=(0.9, 0.9, 0.0)),))
    assert mean_saturation(report(size), size) == pytest.approx(0.6)
    assert mean_saturation(report(size, npu_cores=2), size) == pytest.approx(0.9)


def test_on_a_cpu_it_is_the_runtimes_share() -> None:
    size = measured(npu_cores=(), rounds=(a_round(saturation=(0.7,)),))
    assert mean_saturation(report(size, npu_cores=0), size) == pytest.approx(0.7)
