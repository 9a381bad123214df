"""One size of farm, measured: a warm-up that does not count, then rounds over the images."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from farm.api import Farm
from farm.bench.trace import Slice
from farm.hardware import sensors
from farm.hardware.sensor_sampler import Sampler
from farm.report.data import Measured, Round, Span
from farm.results.stats import Stats
from farm.scheduler.placement import FarmPlan
from farm.sources.base import IterableSource, Source
from farm.system import process_usage as usage
from farm.system.progress import NO_PROGRESS, Progress
from workers.runtimes.base import ONNX, RKNN

WARM_UP_PER_WORKER: Final = 4  # images; the first run of a model is slower than the rest
WARM_UP_SECONDS: Final = 0.5  # clocks go up, files come into memory


def measure(
    farm: Farm,
    images: Callable[[], Source],
    *,
    rounds: int,
    stopped: Callable[[], bool] = bool,
    progress: Progress = NO_PROGRESS,
) -> Measured | None:
    """Run the farm `rounds` times with `images`, after a warm-up that does not count.

    `images` returns a new source each time. Once `stopped` returns true, the measurement ends; a
    round that was cut short does not count. `progress` counts the images of the rounds. None if no
    round is complete. Raises SourceError if every image of a round ended in an error, and what
    Farm.run raises.
    """
    measurement = Measurement(farm, progress)
    measurement.warm_up(images(), stopped)
    for _ in range(rounds):
        if not stopped():
            measurement.run_round(images(), stopped)
    return measurement.result() if measurement.rounds else None


class Measurement:
    """The rounds of one farm so far, and what else was measured meanwhile."""

    def __init__(self, farm: Farm, progress: Progress = NO_PROGRESS) -> None:
        self.farm, self._progress = farm, progress
        self.rounds: list[Round] = []
        self._stats = Stats()
        self._spans: tuple[Span, ...] = ()
        workers = farm.plan.workers
        self._cpus = {cpu for each in workers for cpu in (*each.cpus, *each.decoder_cpus)}
        self._sampler: Sampler | None = None

    def warm_up(self, source: Source, stopped: Callable[[], bool]) -> None:
        """Run a few images of `source` through every worker, and more until 0.5 s have passed."""
        until = time.monotonic() + WARM_UP_SECONDS
        while refs := source.take(WARM_UP_PER_WORKER * len(self.farm.plan.workers)):
            for _ in self.farm.run(IterableSource(refs)):
                pass
            if stopped() or time.monotonic() >= until:
                return

    def run_round(self, source: Source, stopped: Callable[[], bool]) -> None:
        """Run all of `source`, keep the round unless it was stopped; raise as Stats.check_ok."""
        # A simulated NPU heats nothing.
        if self._sampler is None and self.farm.plan.runtime == RKNN:
            self._sampler = Sampler(begun=time.monotonic())
        farm, cpus = self.farm, os.sched_getaffinity(0) | self._cpus
        stats, npu_before, cpu_before = Stats(), farm.npu_busy_seconds(), usage.cpu_times(cpus)
        begun = time.monotonic()
        part = Slice(begun=begun)
        for result in farm.run(source):
            now = time.monotonic()
            stats.count(result)
            part.add(result, now=now)
            self._progress.advance()
            if self._sampler is not None and self._sampler.due(now):
                self._sampler.add(sensors.sample(), now=now)
        seconds = time.monotonic() - begun
        cpu, npu_after = usage.cpu_times(cpus).since(cpu_before), farm.npu_busy_seconds()
        if stopped():
            return
        stats.check_ok("nothing to measure")
        ok = stats.per_worker.total()
        if npu_before is not None and npu_after is not None:  # the simulated NPU's own account
            pairs = zip(npu_before, npu_after, strict=True)
            saturation = tuple(min(1.0, (end - begin) / seconds) for begin, end in pairs)
        else:
            saturation = from_inference_times(farm.plan, stats.busy_ms, seconds)
        self.rounds.append(
            Round(
                seconds=seconds,
                images=ok,
                failed=stats.failures.total(),
                saturation=saturation,
                coordinator_cpu_ms=cpu.root * 1000 / max(1, ok),
                workers_cpu_ms=cpu.below * 1000 / max(1, ok),
                others_cpus=None if cpu.others is None else cpu.others / seconds,
            )
        )
        self._stats.include(stats)
        self._spans = part.spans()

    def result(self) -> Measured:
        """Return what was measured in all rounds, at least one."""
        farm, plan, stats = self.farm, self.farm.plan, self._stats
        processes = usage.tree(os.getpid())
        memory = {pid: usage.pss_mb(pid) or 0.0 for pid in (processes.root, *processes.below)}
        percentiles = stats.summary(seconds=0.0).percentiles
        cores = {worker.npu_core for worker in plan.workers} if plan.runtime != ONNX else set()
        conditions = self._sampler.conditions() if self._sampler else None
        rounds = tuple(self.rounds)
        if conditions is not None and conditions.load:
            # The kernel's figures are of whole seconds: too coarse for one round.
            rounds = tuple(replace(each, saturation=conditions.load) for each in rounds)
        return Measured(
            runtimes=len(plan.workers),
            decoders=plan.workers[0].decoders,
            decode=plan.workers[0].decode,
            npu_cores=tuple(sorted(cores)),
            cpus=tuple(sorted(self._cpus)),
            coordinator_cpus=tuple(sorted(os.sched_getaffinity(0))),
            service_ms=_service_ms(plan, len(cores), percentiles["infer"][0]),
            rounds=rounds,
            percentiles=percentiles,
            means={phase: histogram.mean for phase, histogram in stats.durations().items()},
            distribution=stats.phases["total"].buckets(),
            spans=self._spans,
            per_worker=dict(sorted(stats.per_worker.items())),
            start_seconds=farm.start_seconds,
            coordinator_mb=memory[processes.root],
            helpers_mb=sum(memory[pid] for pid in processes.inner),
            worker_mb=tuple(memory[pid] for pid in processes.leaves if memory[pid]),
            failures=dict(stats.failures),
            losses=farm.losses,
            left_out=farm.bad_cores,
            conditions=conditions,
        )


def from_inference_times(
    plan: FarmPlan, busy_ms: dict[int, float], seconds: float
) -> tuple[float, ...]:
    """Compute each NPU core's share of time with an inference under way, at most 1.

    Runtimes on one core count their waiting for each other, too: with several per core this is
    an upper bound. Without an NPU it is the mean share of a CPU runtime.
    """
    elapsed_ms = seconds * 1000
    if plan.runtime == ONNX:
        return (sum(busy_ms.values()) / (elapsed_ms * len(plan.workers)),)
    busy = dict.fromkeys(range(plan.platform.npu_cores), 0.0)
    for worker in plan.workers:
        busy[worker.npu_core] += busy_ms.get(worker.index, 0.0)
    return tuple(min(1.0, busy[core] / elapsed_ms) for core in sorted(busy))


def _service_ms(plan: FarmPlan, cores: int, median_infer_ms: float) -> float | None:
    """Return how long an inference takes a core, None where runtimes wait for each other."""
    simulated = plan.workers[0].simulated
    if simulated is not None:
        return simulated.service_ms
    return median_infer_ms if len(plan.workers) == cores else None
