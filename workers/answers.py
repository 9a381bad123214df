"""A worker's answers: a batch's scores are ranked at once and sent, while the runtime goes on."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

import numpy.typing as npt

from workers.images.decode_pool import Decoded
from workers.protocol.messages import Done, ItemError, Outcome, Ready
from workers.protocol.sockets import Outbox
from workers.tasks.classification import Scoring, Top5, rank


@dataclass(frozen=True, slots=True)
class Inferred:
    """An image that left the runtime, or was not for it; times are CLOCK_MONOTONIC seconds."""

    decoded: Decoded
    result: npt.NDArray[Any] | ItemError
    started: float
    finished: float

    def ended(self, top5: Top5 | ItemError) -> Outcome:
        """Return the message about it."""
        decoded = self.decoded
        return Outcome(
            item=decoded.job.item.id,
            top5=None if isinstance(top5, ItemError) else top5,
            error=top5 if isinstance(top5, ItemError) else None,
            started=decoded.started,
            decode_ms=(decoded.finished - decoded.started) * 1000,
            wait_ms=(self.started - decoded.finished) * 1000,
            infer_ms=(self.finished - self.started) * 1000,
        )


@dataclass(frozen=True, slots=True)
class BatchWork:
    """A batch in work: how many images it has, and those that are done, in that order."""

    number: int
    size: int
    images: list[Inferred] = field(default_factory=list)


class Answers:
    """A thread that ranks and sends; nobody else may use `outbox` until `close` has returned.

    On the runtime's own thread this would stand between two inferences.
    """

    def __init__(self, ready: Ready, outbox: Outbox) -> None:
        self._ready, self._outbox = ready, outbox
        self._batches: SimpleQueue[BatchWork | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="answers", daemon=True)
        self._thread.start()

    def put(self, batch: BatchWork) -> None:
        """Queue a batch whose images are all done; never blocks."""
        self._batches.put(batch)

    def close(self) -> None:
        """Wait until all batches are ranked and sent."""
        self._batches.put(None)
        self._thread.join()

    def _work(self) -> None:
        scoring = Scoring[self._ready.scoring]
        while (batch := self._batches.get()) is not None:
            results = [image.result for image in batch.images]
            ranked = iter(rank([raw for raw in results if not isinstance(raw, ItemError)], scoring))
            self._outbox.send(
                Done(
                    worker=self._ready.worker,
                    generation=self._ready.generation,
                    batch=batch.number,
                    outcomes=tuple(
                        image.ended(raw if isinstance(raw, ItemError) else next(ranked))
                        for image, raw in zip(batch.images, results, strict=True)
                    ),
                )
            )
