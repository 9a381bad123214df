"""Farms of several sizes, measured one after the other into one report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from farm.api import Farm
from farm.bench.measure import measure
from farm.bench.subject import subject
from farm.config.schema import FarmConfig
from farm.errors import InterruptedStartError
from farm.hardware import environment as machine
from farm.report import text_table as table
from farm.report.data import Measured, Report
from farm.report.format import counted
from farm.report.published import SOURCE, published
from farm.scheduler.placement import FarmPlan, npu_cores
from farm.sources.base import Source
from farm.system.log import for_several_farms
from farm.system.progress import measuring, starting
from farm.system.signals import Signals
from farm.watch.below_bar import BelowBar
from workers.runtimes.base import ONNX, RKNN, SIMULATED

KERNEL: Final = "the kernel's NPU load"
COMPUTED: Final = "computed from inference times, an upper bound"


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """`count` images in `names`; `source` returns a new round of them, each `repeat` times.

    `config` is the name of the config that they are measured with.
    """

    config: str
    names: tuple[str, ...]
    count: int
    repeat: int
    source: Callable[[], Source]


class Sweep:
    """Measures farms with `images`, and shows each row at once; `report` is of all so far.

    It is None before the first farm is up.
    """

    def __init__(
        self,
        images: Images,
        *,
        rounds: int,
        signals: Signals,
        show: Callable[[Sequence[str]], None],
        width: int,
    ) -> None:
        self._images, self._rounds = images, rounds
        self._signals, self._show, self._width = signals, show, width
        self._log = for_several_farms()
        self.report: Report | None = None

    def run(self, sizes: Sequence[FarmConfig]) -> None:
        """Measure one farm after the other until a signal comes; raise what farms raise."""
        for number, config in enumerate(sizes):
            size = None
            with (
                suppress(InterruptedStartError),
                Farm(config, log=self._log, signals=self._signals, starting=starting) as farm,
            ):
                if self.report is None:
                    self.report = empty_report(farm, self._images)
                    self._show(table.head(self.report, self._width))
                size = self._measure(farm, number, len(sizes))
            if size is None or self.report is None:
                return
            self.report = with_size(self.report, size)
            self._show([table.row(self.report, size, self._width)])

    def _measure(self, farm: Farm, number: int, sizes: int) -> Measured | None:
        each = self._rounds * self._images.count * self._images.repeat
        what = f"{counted(len(farm.plan.workers), 'runtime')}, {counted(self._rounds, 'round')}"
        with measuring(what, each * sizes, each * number, BelowBar(farm.snapshot)) as progress:
            return measure(
                farm,
                self._images.source,
                rounds=self._rounds,
                stopped=lambda: bool(self._signals.received),
                progress=progress,
            )


def empty_report(farm: Farm, images: Images) -> Report:
    """Return what is known of a report before anything is measured."""
    plan = farm.plan
    real = plan.runtime == RKNN or plan.simulated
    slow, _ = machine.resize()
    beside = published(plan.platform.name) if real else ()
    return Report(
        platform=plan.platform.name,
        npu_cores=len(npu_cores(farm.config, plan.platform)) if real else 0,
        what=runtime_name(plan),
        simulated=plan.simulated,
        images=images.count,
        repeat=images.repeat,
        saturation_source=_SOURCES[plan.runtime],
        sizes=(),
        published=beside,
        published_source=SOURCE if beside else "",
        subject=subject(
            farm.config,
            plan,
            images.names,
            name=images.config,
            digest=farm.model_sha256,
            reading=farm.reading,
        ),
        machine={
            **machine.facts(),
            machine.RESIZE: f"by OpenCV ({slow})" if slow else "by npu-farm",
        },
    )


_SOURCES: Final = {
    SIMULATED: "simulated, the simulated NPU's own account",
    RKNN: COMPUTED,
    ONNX: "no NPU cores here: the mean share of the CPU runtimes",
}


def with_size(report: Report, size: Measured) -> Report:
    """Return the report with one more size; it says of which sizes the kernel told the NPU load."""
    source = report.saturation_source
    if size.conditions is not None:
        own = KERNEL if size.conditions.load else COMPUTED
        same = not report.sizes or source == own
        source = own if same else f"{KERNEL} where it can be read, else {COMPUTED}"
    return replace(report, sizes=(*report.sizes, size), saturation_source=source)


def runtime_name(plan: FarmPlan) -> str:
    """Return the runtime's name; that of the simulated NPU has its figures and says SIMULATED."""
    npu = plan.workers[0].simulated
    if npu is None:
        return {RKNN: "RKNN on the NPU", ONNX: "ONNX Runtime on the CPU"}[plan.runtime]
    cores = "core" if npu.npu_cores == 1 else "cores"
    return f"SIMULATED NPU of {npu.npu_cores} {cores} at {npu.service_ms:g} ms per inference"
