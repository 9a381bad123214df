"""One size of farm, measured: a warm-up that does not count, then rounds over the images."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from farm.api import Farm
from farm.bench.trace import Slice
from farm.hardware import sensors
from farm.hardware.sensor_sampler import Conditions, Sampler
from farm.report.data import Measured, Round, Span
from farm.results.stats import Stats
from farm.scheduler.placement import FarmPlan
from farm.sources.base import IterableSource, Source
from farm.system import process_usage as usage
from workers.runtimes.base import ONNX, RKNN

WARM_UP_PER_WORKER: Final = 4  # images; the first run of a model is slower than the rest
WARM_UP_SECONDS: Final = 0.5  # clocks go up, files come into memory


@dataclass(slots=True, kw_only=True)
class Tally:
    """What has been measured so far; `sampler` only where there is an NPU to watch."""

    rounds: list[Round] = field(default_factory=list)
    stats: Stats = field(default_factory=Stats)
    spans: tuple[Span, ...] = ()
    sampler: Sampler | None = None


def measure(
    farm: Farm,
    images: Callable[[], Source],
    *,
    rounds: int,
    stopped: Callable[[], bool] = bool,
) -> Measured | None:
    """Run the farm `rounds` times over what `images` gives, after a warm-up that does not count.

    `images` makes a new source each time. What `stopped` tells of ends the measuring: a round that
    was cut short does not count. None if there is no whole one. Raises what Farm.run raises.
    """
    warm_up(farm, images(), stopped)
    tally = Tally()
    if farm.plan.runtime == RKNN:  # a simulated NPU heats nothing
        tally.sampler = Sampler(begun=time.monotonic())
    for _ in range(rounds):
        if not stopped():
            _round(farm, images(), tally, stopped)
    return _summarize(farm, tally) if tally.rounds else None


def warm_up(farm: Farm, source: Source, stopped: Callable[[], bool]) -> None:
    """Run a few images of `source` through every worker, and more until 0.5 s have passed."""
    until = time.monotonic() + WARM_UP_SECONDS
    while refs := source.take(WARM_UP_PER_WORKER * len(farm.plan.workers)):
        for _ in farm.run(IterableSource(refs)):
            pass
        if stopped() or time.monotonic() >= until:
            return


def _round(farm: Farm, source: Source, tally: Tally, stopped: Callable[[], bool]) -> None:
    cpus = _all_cpus(farm.plan)
    stats, npu_before, cpu_before = Stats(), farm.npu_busy_seconds(), usage.cpu_times(cpus)
    begun = time.monotonic()
    part = Slice(begun=begun)
    for result in farm.run(source):
        now = time.monotonic()
        stats.count(result)
        part.add(result, now=now)
        if tally.sampler is not None and tally.sampler.due(now):
            tally.sampler.add(sensors.sample(), now=now)
    seconds = time.monotonic() - begun
    cpu, npu_after = usage.cpu_times(cpus).since(cpu_before), farm.npu_busy_seconds()
    if stopped():
        return
    ok = stats.per_worker.total()
    tally.rounds.append(
        Round(
            seconds=seconds,
            images=ok,
            failed=stats.failures.total(),
            saturation=_busy_shares(npu_before, npu_after, seconds)
            or from_inference_times(farm.plan, stats.busy_ms, seconds),
            coordinator_cpu_ms=cpu.root * 1000 / max(1, ok),
            workers_cpu_ms=cpu.below * 1000 / max(1, ok),
            others_cpus=None if cpu.others is None else cpu.others / seconds,
        )
    )
    tally.stats.include(stats)
    tally.spans = part.spans()


def _busy_shares(
    before: tuple[float, ...] | None, after: tuple[float, ...] | None, seconds: float
) -> tuple[float, ...]:
    """The simulated NPU's own account of a round; empty for other runtimes."""
    if before is None or after is None:
        return ()
    pairs = zip(before, after, strict=True)
    return tuple(min(1.0, (end - begin) / seconds) for begin, end in pairs)


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


def _summarize(farm: Farm, tally: Tally) -> Measured:
    plan, stats = farm.plan, tally.stats
    conditions = tally.sampler.conditions() if tally.sampler else None
    processes = usage.tree(os.getpid())
    memory = {pid: usage.pss_mb(pid) or 0.0 for pid in (processes.root, *processes.below)}
    percentiles = stats.summary(seconds=0.0).percentiles
    return Measured(
        runtimes=len(plan.workers),
        decoders=plan.workers[0].decoders,
        decode=plan.workers[0].decode,
        npu_cores=_npu_cores(plan),
        cpus=tuple(sorted(_workers_cpus(plan))),
        coordinator_cpus=tuple(sorted(os.sched_getaffinity(0))),
        service_ms=_service_ms(plan, percentiles["infer"][0]),
        rounds=_with_kernels_load(tally.rounds, conditions),
        percentiles=percentiles,
        means={phase: histogram.mean for phase, histogram in stats.phases.items()},
        distribution=stats.phases["total"].buckets(),
        spans=tally.spans,
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


def _with_kernels_load(rounds: list[Round], conditions: Conditions | None) -> tuple[Round, ...]:
    """The kernel tells of whole seconds: too coarse for one round, so all get the same."""
    if conditions is None or not conditions.load:
        return tuple(rounds)
    return tuple(replace(each, saturation=conditions.load) for each in rounds)


def _service_ms(plan: FarmPlan, median_infer_ms: float) -> float | None:
    npu = plan.workers[0].simulated
    if npu is not None:
        return npu.service_ms
    alone = len(plan.workers) == len(_npu_cores(plan))
    return median_infer_ms if alone else None


def _npu_cores(plan: FarmPlan) -> tuple[int, ...]:
    if plan.runtime == ONNX:
        return ()
    return tuple(sorted({worker.npu_core for worker in plan.workers}))


def _all_cpus(plan: FarmPlan) -> set[int]:
    """Where any process of the farm may run."""
    return os.sched_getaffinity(0) | _workers_cpus(plan)


def _workers_cpus(plan: FarmPlan) -> set[int]:
    return {cpu for worker in plan.workers for cpu in (*worker.cpus, *worker.decoder_cpus)}
