"""A worker's answers: its task makes them of a network's outputs, while the runtime goes on."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from queue import Queue
from typing import Final

from msgspec import Struct

from workers.images.fit import ImageInfo
from workers.protocol.messages import Done, ItemError, Outcome, Ready
from workers.protocol.sockets import Outbox
from workers.tasks.task import Answer, Outputs, Task

# A detector's outputs have megabytes: of a task that is slower than its runtime, few may wait.
MOST_WAITING: Final = 2


class Inferred(Struct, frozen=True, kw_only=True):
    """An image that left the runtime, or was not for it; times are CLOCK_MONOTONIC seconds.

    Of the image itself nothing is kept while the rest of its batch is worked on: its tensor alone
    has 150 kB or four times as much.
    """

    item: int
    result: tuple[Outputs, ImageInfo] | ItemError
    decode_began: float
    decode_ended: float
    infer_began: float
    infer_ended: float

    def ended(self, answer: Answer | ItemError, task_ms: float) -> Outcome:
        """Return the message about it; its task has taken so many milliseconds."""
        return Outcome(
            item=self.item,
            answer=None if isinstance(answer, ItemError) else answer,
            error=answer if isinstance(answer, ItemError) else None,
            started=self.decode_began,
            decode_ms=(self.decode_ended - self.decode_began) * 1000,
            wait_ms=(self.infer_began - self.decode_ended) * 1000,
            infer_ms=(self.infer_ended - self.infer_began) * 1000,
            task_ms=task_ms,
        )


@dataclass(frozen=True, slots=True)
class Part:
    """Images of a batch that the runtime is done with; after its `last` part, it is whole."""

    batch: int
    images: list[Inferred]
    last: bool


class Answers:
    """A thread that answers and sends; nobody else may use `outbox` until `close` has returned.

    On the runtime's own thread this would stand between two inferences.
    """

    def __init__(self, ready: Ready, task: Task, outbox: Outbox) -> None:
        self._ready, self._task, self._outbox = ready, task, outbox
        self._parts: Queue[Part | None] = Queue(MOST_WAITING)
        self._thread = threading.Thread(target=self._work, name="answers", daemon=True)
        self._thread.start()

    def put(self, part: Part) -> None:
        """Queue a part of a batch; blocks while MOST_WAITING wait."""
        self._parts.put(part)

    def close(self) -> None:
        """Wait until all batches are answered and sent."""
        self._parts.put(None)
        self._thread.join()

    def _work(self) -> None:
        outcomes: dict[int, list[Outcome]] = {}
        while (part := self._parts.get()) is not None:
            ended = outcomes.setdefault(part.batch, [])
            ended += self._answered(part.images)
            if part.last:
                self._outbox.send(
                    Done(
                        worker=self._ready.worker,
                        generation=self._ready.generation,
                        batch=part.batch,
                        outcomes=tuple(outcomes.pop(part.batch)),
                    )
                )

    def _answered(self, images: list[Inferred]) -> list[Outcome]:
        results = [image.result for image in images]
        inferred = [each for each in results if not isinstance(each, ItemError)]
        began = time.monotonic()
        answers = iter(self._task.answer(inferred))
        task_ms = (time.monotonic() - began) * 1000 / max(1, len(inferred))
        return [
            image.ended(result, 0.0)
            if isinstance(result, ItemError)
            else image.ended(next(answers), task_ms)
            for image, result in zip(images, results, strict=True)
        ]
