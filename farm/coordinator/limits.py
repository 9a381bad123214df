"""How much a worker is given, and how long it may take."""

from __future__ import annotations

from dataclasses import dataclass

from workers.protocol.startup import TESTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """`window` batches of up to `batch` items per worker; times in seconds.

    `start_seconds` is for opening a runtime, then `self_test_seconds` for the first inference,
    `start_seconds` again for making the task, `batch_seconds` for answering a batch (None:
    learned). A worker of more than `worker_mb` is replaced. With `bad_cores` false, the loss of an
    NPU core ends the run.
    """

    batch: int
    window: int
    start_seconds: float
    self_test_seconds: float
    batch_seconds: float | None
    worker_mb: float
    bad_cores: bool

    def of_step(self, step: str) -> float:
        """Return the seconds for a step of a worker's start, see workers.protocol.startup."""
        return self.self_test_seconds if step in TESTED else self.start_seconds
