"""A worker's answers: a batch's scores are ranked at once and sent, while the runtime goes on."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

import numpy.typing as npt
from msgspec import Struct

from workers.protocol.messages import Done, ItemError, Outcome, Ranked, Ready
from workers.protocol.sockets import Outbox
from workers.tasks.classification import Scoring, rank


class Inferred(Struct, frozen=True, kw_only=True):
    """An image that left the runtime, or was not for it; times are CLOCK_MONOTONIC seconds.

    Of the image itself nothing is kept while the rest of its batch is worked on: its tensor alone
    has 150 kB or four times as much.
    """

    item: int
    result: npt.NDArray[Any] | ItemError
    decode_began: float
    decode_ended: float
    infer_began: float
    infer_ended: float

    def ended(self, answer: Ranked | ItemError) -> Outcome:
        """Return the message about it."""
        return Outcome(
            item=self.item,
            answer=None if isinstance(answer, ItemError) else answer,
            error=answer if isinstance(answer, ItemError) else None,
            started=self.decode_began,
            decode_ms=(self.decode_ended - self.decode_began) * 1000,
            wait_ms=(self.infer_began - self.decode_ended) * 1000,
            infer_ms=(self.infer_ended - self.infer_began) * 1000,
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
        scoring = Scoring[self._ready.reading]
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
