"""Figures as Prometheus's metrics: how they are named, and told from those of a simulated NPU."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

if TYPE_CHECKING:
    from prometheus_client.core import Metric

PREFIX: Final = "npu_farm"
# A simulated NPU's figures are told from a real one's by a label: a dashboard shows no help texts.
SIMULATED: Final = "simulated"


def gauge(name: str, about: str, value: float) -> Metric:
    """Return a gauge without labels."""
    return GaugeMetricFamily(f"{PREFIX}_{name}", about, value)


def counter(name: str, about: str, value: float) -> Metric:
    """Return a counter without labels; `_total` is added to its name."""
    return CounterMetricFamily(f"{PREFIX}_{name}", about, value)


def labelled(
    family: CounterMetricFamily | GaugeMetricFamily,
    values: Iterable[tuple[Sequence[str], float]],
) -> Metric:
    """Return a family with its values, each after those of its labels."""
    for labels, value in values:
        family.add_metric(labels, value)
    return family


def truth(value: bool, /) -> str:
    """Return a truth as the value of a label."""
    return "true" if value else "false"
