"""One inference on every NPU core, each by a worker of its own: which can be used, which not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from farm.config.loader import checked
from farm.config.schema import FarmConfig
from farm.coordinator.startup import prepare
from farm.coordinator.supervisor import WorkerSlot

DRAIN_SECONDS: Final = 2.0  # the workers have nothing in hand


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreTest:
    """What became of one NPU core's test: how long the inference took, or why there is none."""

    npu_core: int
    ok: bool
    ms: float | None
    reason: str


def self_test(config: FarmConfig) -> tuple[CoreTest, ...]:
    """Open the config's model on each of its NPU cores and run it once on a grey image.

    Raises ConfigError where the config can't be met on this machine.
    """
    one_each = {"size": None, "on_bad_core": "quarantine"}
    config = checked({**config.model_dump(exclude_unset=True), **one_each})
    _, coordinator = prepare(config, tell=lambda _: None)
    try:
        coordinator.launch()
        while coordinator.supervisor.starting:
            coordinator.poll()
        return tuple(map(_outcome, coordinator.supervisor.slots))
    finally:
        coordinator.close(drain_seconds=DRAIN_SECONDS)


def _outcome(slot: WorkerSlot) -> CoreTest:
    ready = slot.ready
    return CoreTest(
        npu_core=slot.spec.npu_core,
        ok=ready is not None,
        ms=None if ready is None else ready.self_test_ms,
        reason="" if ready is not None else slot.reason,
    )
