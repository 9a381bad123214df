"""The benchmark: the row of the table that the field publishes, for one number of runtimes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from farm import config as configs
from farm import sensors, sources, text
from farm.api import Farm
from farm.config import FarmConfig
from farm.errors import EXIT_OK, EXIT_SIGNAL_BASE, EXIT_SOME_FAILED, SourceError
from farm.interrupts import Interrupts
from farm.plan import FarmPlan, choose_runtime
from farm.platforms import HOST, detect
from farm.run import say, targets
from farm.sampler import Conditions, Sampler
from farm.stats import Snapshot, Stats
from workers.runtime import ONNX, RKNN, SIMULATED

WARM_UP_PER_WORKER: Final = 4  # images; the first run of a model is slower than the rest
HEADS: Final = ["runtimes", "execution time", "core saturation", "average per image"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One timed run, the share of it (0 to 1) in which each core was busy, a board's conditions."""

    snapshot: Snapshot
    saturation: tuple[float, ...]
    conditions: Conditions | None


def bench(config: FarmConfig, folders: tuple[str, ...], *, repeat: int) -> int:
    """Measure one run and print its row; gives the exit code."""
    config = with_some_npu(config)
    names = targets(config, folders)
    if sources.STDIN in names:
        raise SourceError("a benchmark goes over its images more than once: name a folder or files")
    with Interrupts() as interrupts, Farm(config, tell=say, interrupts=interrupts) as farm:
        measured = measure(farm, names, repeat)
        print("\n".join(report(farm.plan, measured)))
        if interrupts.received:
            say("stopped by a signal: the figures are of a part of the images")
            return EXIT_SIGNAL_BASE + interrupts.received[0]
    return EXIT_SOME_FAILED if measured.snapshot.failed else EXIT_OK


def with_some_npu(config: FarmConfig) -> FarmConfig:
    """Take the simulated NPU where the platform's own is asked for and not there."""
    if config.runtime != "auto" or config.platform == HOST:
        return config
    if choose_runtime(config, detect()) != ONNX:
        return config
    say(f"no {config.platform} NPU here: measuring with the simulated one")
    return configs.checked({**config.model_dump(exclude_unset=True), "runtime": SIMULATED})


def measure(farm: Farm, names: tuple[str, ...], repeat: int) -> Measured:
    """Run the farm over the images `repeat` times, after a warm-up that does not count."""
    warm_up = sources.from_targets(names, times=1).take(WARM_UP_PER_WORKER * len(farm.plan.workers))
    for _ in farm.run(sources.IterableSource(warm_up)):
        pass
    stats, sampler = Stats(), None
    before, begun = farm.npu_busy_seconds(), time.monotonic()
    if farm.plan.runtime == RKNN:  # a simulated NPU heats nothing
        sampler = Sampler(begun=begun)
    for result in farm.run(sources.from_targets(names, times=repeat)):
        stats.count(result)
        look(sampler)
    seconds = time.monotonic() - begun
    after = farm.npu_busy_seconds()
    stats.losses, stats.left_out = farm.losses, farm.bad_cores
    snapshot = stats.snapshot(seconds=seconds)
    conditions = sampler.conditions() if sampler else None
    if before is not None and after is not None:
        shares = tuple((end - start) / seconds for start, end in zip(before, after, strict=True))
    elif conditions is not None and conditions.load:
        shares = conditions.load
    else:
        shares = from_inference_times(farm.plan, snapshot)
    return Measured(snapshot=snapshot, saturation=shares, conditions=conditions)


def look(sampler: Sampler | None) -> None:
    """Read the board's sensors, if there are any to watch and it is time."""
    if sampler is not None and sampler.due(now := time.monotonic()):
        sampler.add(sensors.sample(), now=now)


def from_inference_times(plan: FarmPlan, snapshot: Snapshot) -> tuple[float, ...]:
    """Compute each core's share of time with an inference under way, at most 1.

    Runtimes on one core count their waiting for each other, too: with several per core this is
    an upper bound. Without an NPU it is the mean share of a CPU runtime.
    """
    elapsed_ms = snapshot.seconds * 1000
    if plan.runtime != RKNN:
        return (sum(snapshot.busy_ms.values()) / (elapsed_ms * len(plan.workers)),)
    busy: dict[int, float] = {}
    for worker in plan.workers:
        before = busy.get(worker.npu_core, 0.0)
        busy[worker.npu_core] = before + snapshot.busy_ms.get(worker.index, 0.0)
    return tuple(min(1.0, busy[core] / elapsed_ms) for core in sorted(busy))


def report(plan: FarmPlan, measured: Measured) -> list[str]:
    """The measurement in words: what was measured, the table, and what to know about it."""
    snapshot = measured.snapshot
    row = [
        f"{len(plan.workers)}",
        f"{snapshot.seconds:.2f}s",
        percentages(measured.saturation),
        f"{snapshot.average_ms:.2f}ms",
    ]
    lines = [f"{plan.platform.name}, {what_ran(plan)}, {snapshot.ok} images", ""]
    lines += text.columns(HEADS, [row])
    if measured.conditions is not None:
        lines += ["", *conditions_of(measured.conditions)]
    if plan.runtime == ONNX:
        lines += ["", "no NPU cores here: core saturation is the mean share of the CPU runtimes"]
    if snapshot.left_out:
        cores = ", ".join(map(str, snapshot.left_out))
        lines += ["", f"NPU cores LEFT OUT: {cores}; these are figures of the others"]
    if snapshot.losses:
        lines += ["", f"workers lost: {snapshot.losses}; the figures include that"]
    if snapshot.failed:
        lines += ["", f"{snapshot.failed} of {snapshot.ended} images failed: {snapshot.failures}"]
    return lines


def conditions_of(run: Conditions) -> list[str]:
    """Where the saturation is from, how hot it got, whether a clock dropped; a line each."""
    if run.load:
        lines = [
            f"core saturation is the kernel's NPU load, the mean of {run.load_samples} samples"
        ]
    else:
        lines = ["core saturation is computed from inference times: an upper bound"]
        lines += [run.no_load] if run.no_load else []
    if run.hottest is not None:
        zone, degrees = run.hottest
        lines.append(f"highest temperature: {degrees:.0f} °C in {zone}")
    if run.drops is not None:
        drops = [
            f"{drop.clock} dropped from {drop.before} to {drop.after} MHz "
            f"(governor {drop.governor or 'unknown'})"
            for drop in run.drops
        ]
        lines.append(f"clocks: {', '.join(drops)}" if drops else "no clock dropped")
    return lines


def what_ran(plan: FarmPlan) -> str:
    """Name the runtime, and the simulated NPU's figures with the word that they are simulated."""
    npu = plan.workers[0].simulated
    if npu is None:
        return {RKNN: "RKNN on the NPU", ONNX: "ONNX Runtime on the CPU"}[plan.runtime]
    cores = "core" if npu.npu_cores == 1 else "cores"
    return f"SIMULATED NPU of {npu.npu_cores} {cores} at {npu.service_ms:g} ms per inference"


def percentages(shares: Sequence[float]) -> str:
    """Write shares of 1 as per cent, core by core."""
    return " ".join(f"{share:.0%}" for share in shares)
