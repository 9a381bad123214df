"""Farms of several sizes, measured one after the other into one report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from farm.api import Farm
from farm.bench.measure import measure
from farm.config.schema import FarmConfig
from farm.errors import InterruptedStartError
from farm.hardware import environment as machine
from farm.report import text_table as table
from farm.report.data import Measured, Report
from farm.report.published import SOURCE, published
from farm.scheduler.placement import FarmPlan, npu_cores
from farm.sources.base import Source
from farm.system.log import for_several_farms
from farm.system.signals import Signals
from workers.runtimes.base import ONNX, RKNN, SIMULATED

KERNEL: Final = "the kernel's NPU load"
COMPUTED: Final = "computed from inference times, an upper bound"


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """`count` images, of which `source` gives a new round of `repeat` times all of them."""

    count: int
    repeat: int
    source: Callable[[], Source]


class Sweep:
    """Measures farms over `images`, and shows each row as it is there; `report` is of all so far.

    It is None before the first row's farm is up.
    """

    def __init__(
        self,
        images: Images,
        *,
        rounds: int,
        signals: Signals,
        show: Callable[[Sequence[str]], None],
    ) -> None:
        self._images, self._rounds = images, rounds
        self._signals, self._show = signals, show
        self._log = for_several_farms()
        self.report: Report | None = None

    def over(self, sizes: Sequence[FarmConfig]) -> None:
        """Measure one farm after the other until a signal comes; raises what farms raise."""
        for config in sizes:
            size = None
            with suppress(InterruptedStartError):
                size = self._measured(config)
            if size is None or self.report is None:
                return
            self.report = extended(self.report, size)
            self._show([table.row(self.report, size)])

    def _measured(self, config: FarmConfig) -> Measured | None:
        with Farm(config, log=self._log, signals=self._signals) as farm:
            if self.report is None:
                self.report = _blank(farm, self._images)
                self._show(table.head(self.report))
            return measure(farm, self._images.source, rounds=self._rounds, stopped=self._signalled)

    def _signalled(self) -> bool:
        return bool(self._signals.received)


def _blank(farm: Farm, images: Images) -> Report:
    plan = farm.plan
    real = plan.runtime == RKNN or plan.simulated
    beside = published(plan.platform.name) if real else ()
    return Report(
        platform=plan.platform.name,
        npu_cores=len(npu_cores(farm.config, plan.platform)) if real else 0,
        what=what_ran(plan),
        simulated=plan.simulated,
        images=images.count,
        repeat=images.repeat,
        saturation_source=_SOURCES[plan.runtime],
        sizes=(),
        published=beside,
        published_source=SOURCE if beside else "",
        machine=machine.facts(),
    )


_SOURCES: Final = {
    SIMULATED: "simulated, the simulated NPU's own account",
    RKNN: COMPUTED,
    ONNX: "no NPU cores here: the mean share of the CPU runtimes",
}


def extended(report: Report, size: Measured) -> Report:
    """The report with one size more; it says where the NPU load was told, and where not."""
    source, told = report.saturation_source, size.conditions is not None and size.conditions.load
    if size.conditions is not None:
        own = KERNEL if told else COMPUTED
        same = not report.sizes or source == own
        source = own if same else f"{KERNEL} where it is told, else {COMPUTED}"
    return replace(report, sizes=(*report.sizes, size), saturation_source=source)


def what_ran(plan: FarmPlan) -> str:
    """Name the runtime, and the simulated NPU's figures with the word that they are simulated."""
    npu = plan.workers[0].simulated
    if npu is None:
        return {RKNN: "RKNN on the NPU", ONNX: "ONNX Runtime on the CPU"}[plan.runtime]
    cores = "core" if npu.npu_cores == 1 else "cores"
    return f"SIMULATED NPU of {npu.npu_cores} {cores} at {npu.service_ms:g} ms per inference"
