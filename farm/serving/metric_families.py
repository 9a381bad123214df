"""A snapshot as Prometheus's metrics: names, types and labels; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)

from farm.scheduler.lifecycle import State
from farm.system.memory import MB
from farm.watch.prometheus import PREFIX, SIMULATED, counter, gauge, labelled, truth
from farm.watch.snapshot import BOUNDS_MS, Board, FarmFacts, Snapshot, Stage

if TYPE_CHECKING:
    from prometheus_client.core import Metric

TOTAL: Final = "total"  # the stage that is no part of the others: all of them, one after the other
OK: Final = "ok"
MHZ: Final = 1_000_000


def families(snapshot: Snapshot) -> Iterator[Metric]:
    """Yield the metrics of a snapshot."""
    yield gauge("snapshot_timestamp_seconds", "When these figures were read.", snapshot.at)
    if snapshot.farm is not None:
        yield from farm_families(snapshot.farm)
    yield from board_families(snapshot.board)


def farm_families(farm: FarmFacts) -> Iterator[Metric]:
    """Yield the metrics of a farm."""
    make_believe = truth(farm.simulated)
    outcomes = {OK: farm.ok, **farm.failures}
    yield InfoMetricFamily(
        PREFIX,
        "What the farm runs; constant 1.",
        {
            "model": PurePath(farm.model or "").name,
            "task": farm.task,
            "platform": farm.platform,
            "runtime": farm.runtime,
            SIMULATED: make_believe,
        },
    )
    yield gauge("start_time_seconds", "When the farm was started, since 1970.", farm.started)
    yield labelled(
        CounterMetricFamily(
            f"{PREFIX}_images",
            "Images that ended: ok, or with an error, which outcome names.",
            labels=("outcome", SIMULATED),
        ),
        [((outcome, make_believe), count) for outcome, count in outcomes.items()],
    )
    yield gauge("images_waiting", "Images that no worker holds yet.", farm.waiting)
    yield gauge("images_in_flight", "Images that workers hold.", farm.in_flight)
    yield from duration_families(farm.stages, make_believe)
    yield from worker_families(farm)
    yield labelled(
        GaugeMetricFamily(
            f"{PREFIX}_npu_load_ratio",
            "Share of time in which each NPU core works; missing where it can't be read.",
            labels=("npu_core", SIMULATED),
        ),
        [((f"{core}", make_believe), load) for core, load in enumerate(farm.npu_load or ())],
    )


def duration_families(stages: Mapping[str, Stage], make_believe: str) -> Iterator[Metric]:
    """Yield how long images took, in all and by stage; those with an error do not count."""
    by_stage = HistogramMetricFamily(
        f"{PREFIX}_image_stage_seconds",
        "How long images were in each stage of their way.",
        labels=("stage", SIMULATED),
    )
    latency = HistogramMetricFamily(
        f"{PREFIX}_image_latency_seconds",
        "How long images took from their submission to their result.",
        labels=(SIMULATED,),
    )
    for name, stage in stages.items():
        bounds = [f"{bound / 1000}" for bound in BOUNDS_MS]
        buckets = [*zip(bounds, stage.buckets, strict=True), ("+Inf", stage.count)]
        if name == TOTAL:
            latency.add_metric((make_believe,), buckets, stage.sum_ms / 1000)
        else:
            by_stage.add_metric((name, make_believe), buckets, stage.sum_ms / 1000)
    yield by_stage
    yield latency


def worker_families(farm: FarmFacts) -> Iterator[Metric]:
    """Yield the metrics of workers: of all, then of each slot."""
    states = [worker.state for worker in farm.workers]
    yield labelled(
        GaugeMetricFamily(f"{PREFIX}_workers", "Workers in each state.", labels=("state",)),
        [((state.value,), states.count(state.value)) for state in State],
    )
    yield counter("worker_losses", "Workers that were lost after they were up.", farm.losses)
    yield counter("worker_restarts", "Workers started in place of others.", farm.restarts)
    yield counter("stray_messages", "Messages that were dropped as invalid.", farm.strays)
    slots = [
        ((f"{worker.index}", "" if worker.npu_core is None else f"{worker.npu_core}"), worker)
        for worker in farm.workers
    ]
    yield labelled(
        CounterMetricFamily(
            f"{PREFIX}_worker_images",
            "Images that each worker has answered.",
            labels=("worker", "npu_core", SIMULATED),
        ),
        [((*slot, truth(farm.simulated)), worker.images) for slot, worker in slots],
    )
    yield labelled(
        GaugeMetricFamily(
            f"{PREFIX}_worker_memory_bytes",
            "Memory of each worker that it shares with no other process.",
            labels=("worker", "npu_core"),
        ),
        [(slot, worker.memory_mb * MB) for slot, worker in slots if worker.memory_mb],
    )


def board_families(board: Board) -> Iterator[Metric]:
    """Yield the metrics of the machine."""
    yield labelled(
        GaugeMetricFamily(
            f"{PREFIX}_board_temperature_celsius",
            "Temperature of each thermal zone.",
            labels=("zone",),
        ),
        [((zone,), celsius) for zone, celsius in board.temperatures.items()],
    )
    yield labelled(
        GaugeMetricFamily(
            f"{PREFIX}_board_clock_hertz", "Each clock now: CPUs, NPU, memory.", labels=("clock",)
        ),
        [((clock.name,), clock.mhz * MHZ) for clock in board.clocks],
    )
    yield labelled(
        GaugeMetricFamily(
            f"{PREFIX}_board_clock_highest_hertz",
            "The highest that each clock can be.",
            labels=("clock",),
        ),
        [((each.name,), each.highest_mhz * MHZ) for each in board.clocks if each.highest_mhz],
    )
    yield labelled(
        GaugeMetricFamily(
            f"{PREFIX}_board_cpu_load_ratio",
            "Share of time in which each CPU works.",
            labels=("cpu",),
        ),
        [((f"{cpu}",), load) for cpu, load in board.cpu_load.items()],
    )
    yield gauge("board_memory_bytes", "Memory of the machine.", board.memory_mb * MB)
    yield gauge(
        "board_memory_available_bytes",
        "Memory that programs can still get.",
        board.available_mb * MB,
    )
