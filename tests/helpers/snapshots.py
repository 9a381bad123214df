"""Snapshots made by hand, for tests of what is drawn from them."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from farm.hardware.sensors import Clock
from farm.watch.snapshot import (
    BOUNDS_MS,
    Board,
    FarmFacts,
    Snapshot,
    Stage,
    Told,
    WorkerFacts,
)


def a_stage(ms: float, count: int = 1000) -> Stage:
    return Stage(
        p50=ms,
        p90=2 * ms,
        p99=4 * ms,
        count=count,
        sum_ms=ms * count,
        buckets=tuple(count if bound >= ms else 0 for bound in BOUNDS_MS),
    )


def a_worker(index: int, **other: Any) -> WorkerFacts:
    made = WorkerFacts(
        index=index,
        pid=4000 + index,
        state="up",
        npu_core=index % 3,
        cpus=(4, 5, 6, 7),
        images=300 + index,
        in_flight=4,
        memory_mb=42.5,
        losses=0,
        ms={"decode": 1.5, "infer": 2.6},
    )
    return replace(made, **other)


def a_farm(workers: int = 3, **other: Any) -> FarmFacts:
    made = FarmFacts(
        model="/models/mobilenet_v2.rknn",
        task="classify",
        platform="rk3588",
        runtime="rknn",
        simulated=False,
        pid=3999,
        command="npu-farm run photos/",
        started=1_790_000_000.0,
        reading="scores",
        rate=812.5,
        ok=1000,
        failures={"not_an_image": 2},
        waiting=24,
        in_flight=12,
        losses=1,
        restarts=1,
        strays=0,
        stages={"queue": a_stage(20.0), "infer": a_stage(2.6), "total": a_stage(25.0)},
        workers=tuple(a_worker(index) for index in range(workers)),
        npu_load=(0.9, 0.85, 0.1),
        no_npu_load=None,
        warnings=(Told(at=1_790_000_060.0, message="worker 1 died (SIGKILL)"),),
    )
    return replace(made, **other)


def a_board(**other: Any) -> Board:
    made = Board(
        soc="rk3588",
        npu_load=(0.9, 0.85, 0.1),
        no_npu_load=None,
        temperatures={"npu-thermal": 61.5, "soc-thermal": 58.0},
        clocks=(
            Clock("CPU 4-7", 2256, 2256, "performance"),
            Clock("NPU", 1000, 1000, "rknpu_ondemand"),
        ),
        cpu_load=dict.fromkeys(range(8), 0.25),
        memory_mb=15_900.0,
        available_mb=12_000.0,
    )
    return replace(made, **other)


def a_snapshot(**farm: Any) -> Snapshot:
    return Snapshot(at=1_790_000_100.0, farm=a_farm(**farm), board=a_board())
