"""Threads that turn items into input tensors while the runtime works on earlier ones."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, Final

import numpy.typing as npt

from workers.errors import ImageError
from workers.images import preprocess as image
from workers.images.fit import ImageInfo
from workers.protocol.messages import Item, ItemError
from workers.protocol.spec import FLOAT32, InputSpec

# Just below: the runtime thread runs first when it wakes up, and beside other programs every step
# further down costs speed. docs/decisions/0015 has figures.
DECODER_NICE: Final = 3
# How far decoders are ahead of a runtime that is slower, or whose task is: further makes nothing
# faster, and the tensors of all that a worker holds may take a gigabyte.
MOST_AHEAD_BYTES: Final = 64 << 20


@dataclass(frozen=True, slots=True)
class Job:
    """One item of the batch `batch`."""

    batch: int
    item: Item


@dataclass(frozen=True, slots=True)
class Decoded:
    """A job's tensor, and where its image is in it, or why there is none.

    Times are CLOCK_MONOTONIC seconds.
    """

    job: Job
    result: tuple[npt.NDArray[Any], ImageInfo] | ItemError
    started: float
    finished: float


class DecodePool:
    """`count` decoder threads on `cpus`; jobs come out as they are done, not in order.

    One thread uses it. `mode` is EXACT or FAST, see workers.images.preprocess.load.
    """

    def __init__(self, count: int, cpus: tuple[int, ...], spec: InputSpec, mode: str) -> None:
        self._cpus, self._spec, self._mode = cpus, spec, mode
        size = spec.width * spec.height * 3 * (4 if spec.dtype == FLOAT32 else 1)
        self._most = max(2 * count, MOST_AHEAD_BYTES // size)
        self._waiting: deque[Job] = deque()
        self._begun = 0  # given to the decoders, and not taken from them
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._decoded: SimpleQueue[Decoded | BaseException] = SimpleQueue()
        # Daemons: a decoder stuck on a dead network share must not keep the process alive.
        self._threads = [
            threading.Thread(target=self._work, name=f"decoder-{number}", daemon=True)
            for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def put(self, job: Job) -> None:
        """Queue a job; never blocks."""
        self._waiting.append(job)
        self._begin()

    def get(self) -> Decoded:
        """Wait for the next decoded job and return it; raise what a decoder could not handle."""
        decoded = self._decoded.get()
        self._begun -= 1
        self._begin()
        if isinstance(decoded, BaseException):
            raise decoded
        return decoded

    def close(self) -> None:
        """Let the threads end once the jobs that they were given are done."""
        for _ in self._threads:
            self._jobs.put(None)

    def _begin(self) -> None:
        """Give the decoders what they may begin with."""
        while self._waiting and self._begun < self._most:
            self._jobs.put(self._waiting.popleft())
            self._begun += 1

    def _work(self) -> None:
        # Both for this thread alone. The runtime thread runs first when its NPU core is free again.
        os.sched_setaffinity(0, self._cpus)
        os.nice(DECODER_NICE)
        while (job := self._jobs.get()) is not None:
            started = time.monotonic()
            result: tuple[npt.NDArray[Any], ImageInfo] | ItemError
            try:
                result = image.load(job.item.source, self._spec, self._mode)
            except ImageError as error:
                result = ItemError(error.kind, str(error))
            except BaseException as error:  # a bug, or no memory: get() raises it, nothing hangs
                self._decoded.put(error)
                continue
            self._decoded.put(Decoded(job, result, started, time.monotonic()))
