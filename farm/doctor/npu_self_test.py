"""One inference on every NPU core, each by a worker of its own, or one on the CPU."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from farm.config.loader import validate
from farm.config.schema import FarmConfig
from farm.coordinator.startup import prepare
from farm.hardware.platforms import detect
from farm.scheduler.placement import choose_runtime, npu_cores, platform_of
from farm.system.log import SILENT
from workers.protocol.spec import DETECT
from workers.runtimes.base import RKNN

DRAIN_SECONDS: Final = 2.0  # the workers have no batches


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreTest:
    """The test of one NPU core: how long the inference took in ms, or the reason of a failure.

    `classes` is how many the task has found in the outputs, 0 if it does not know; `family` is that
    of a detector.
    """

    npu_core: int
    ok: bool
    ms: float | None
    reason: str
    classes: int = 0
    family: str = ""


def self_test(config: FarmConfig) -> tuple[CoreTest, ...]:
    """Open the config's model on each of its NPU cores and run it once on a test image.

    Without an NPU, one worker does so on the CPU, and is called core 0.

    Raises ConfigError if this machine cannot run the config.
    """
    machine = detect()
    on_npu = choose_runtime(config, machine) == RKNN
    cores = npu_cores(config, platform_of(config, machine)) if on_npu else (0,)
    one_each = {"size": len(cores), "on_bad_core": "quarantine"}
    config = validate({**config.model_dump(exclude_unset=True), **one_each})
    _, coordinator, _ = prepare(config, SILENT)
    try:
        coordinator.launch()
        while coordinator.supervisor.slots.starting:
            coordinator.poll()
        return tuple(
            CoreTest(
                npu_core=slot.spec.npu_core,
                ok=slot.ready is not None,
                ms=slot.ready.self_test_ms if slot.ready is not None else None,
                reason=slot.reason if slot.ready is None else "",
                classes=slot.ready.classes if slot.ready is not None else 0,
                family=slot.ready.reading if slot.ready and config.task == DETECT else "",
            )
            for slot in coordinator.supervisor.slots
        )
    finally:
        coordinator.close(drain_seconds=DRAIN_SECONDS)
