"""A worker's work: PULL a batch, decode ahead, infer, rank, PUSH the answer."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import numpy as np
import zmq

from workers import sched_slice as slices
from workers.errors import FarmError, RuntimeFailure
from workers.images.decode_pool import Decoded, Decoders, Job
from workers.protocol import startup_steps as steps
from workers.protocol.messages import (
    Batch,
    Done,
    Failed,
    ItemError,
    Outcome,
    Ready,
    Stop,
    WorkerInit,
)
from workers.protocol.sockets import Context, Inbox, Outbox
from workers.protocol.spec import WorkerSpec
from workers.runtimes.base import Runtime, tensor_shape
from workers.runtimes.registry import open_runtime
from workers.tasks.classification import top5

EXIT_OK: Final = 0
EXIT_FAILED: Final = 70  # said why in a Failed message
GREY: Final = 128


def run(birth: WorkerInit) -> int:
    """Be the worker that `birth` describes until it is told to stop; gives the exit code."""
    with _queues(birth.spec) as (inbox, outbox):
        runtime: Runtime | None = None
        try:
            runtime = open_runtime(birth.spec)
            ready = tested(birth, runtime)
            serve(birth, runtime, ready, (inbox, outbox))
        except FarmError as error:
            # Said before the runtime is closed: after a failed job, a driver may hang in that.
            _report_failure(birth, str(error), inbox, outbox)
            return EXIT_FAILED
        finally:
            if runtime is not None:
                runtime.close()
    return EXIT_OK


def _report_failure(birth: WorkerInit, message: str, inbox: Inbox, outbox: Outbox) -> None:
    """Say why this worker can't go on, and stay until that is heard: then the reason is known
    before the process is gone."""
    index, generation = birth.spec.index, birth.generation
    ctypes.CDLL(None).fflush(None)  # what C libraries have printed about it comes first
    outbox.send(Failed(worker=index, generation=generation, message=message))
    while not isinstance(inbox.receive(block=True), Stop):
        pass


def tested(birth: WorkerInit, runtime: Runtime) -> Ready:
    """Run one inference, which also warms the model up; raises RuntimeFailure if it fails.

    An NPU core can be there and fail or hang at its first job. The image is plain grey.
    """
    steps.begin(steps.SELF_TEST)
    grey = np.full(tensor_shape(runtime.input), GREY, runtime.input.dtype)
    begun = time.monotonic()
    try:
        scores = runtime.infer(grey)
        ended = time.monotonic()
        top5(scores)
    except RuntimeFailure as failure:
        raise RuntimeFailure(f"the self-test failed: {failure}") from failure
    return Ready(
        worker=birth.spec.index,
        generation=birth.generation,
        input=runtime.input,
        classes=runtime.classes,
        self_test_ms=(ended - begun) * 1000,
    )


def serve(birth: WorkerInit, runtime: Runtime, ready: Ready, queues: tuple[Inbox, Outbox]) -> None:
    """Say Ready, then answer batches until Stop; raises RuntimeFailure if the runtime fails."""
    inbox, outbox = queues
    decoders = Decoders(
        birth.spec.decoders, birth.spec.decoder_cpus, runtime.input, birth.spec.decode
    )
    slices.shorten()  # after the decoders have begun, which keep what the kernel gives
    steps.begin(steps.REPORT)
    outbox.send(ready)
    try:
        BatchLoop(birth, runtime, decoders).serve(inbox, outbox)
    finally:
        decoders.close()


class BatchLoop:
    """The batches a worker holds, on the one thread that may touch its runtime and sockets."""

    def __init__(self, birth: WorkerInit, runtime: Runtime, decoders: Decoders) -> None:
        self._worker, self._generation = birth.spec.index, birth.generation
        self._runtime = runtime
        self._decoders = decoders
        self._outcomes: dict[int, list[Outcome]] = {}  # by batch
        self._sizes: dict[int, int] = {}
        self._stopping = False

    def serve(self, inbox: Inbox, outbox: Outbox) -> None:
        """Work until Stop has come and every batch is answered."""
        while self._sizes or not self._stopping:
            self._take(inbox)
            if self._sizes:
                self._advance(outbox)

    def _take(self, inbox: Inbox) -> None:
        """Take all batches that have come; with nothing to do, wait for one."""
        while (message := inbox.receive(block=not self._sizes and not self._stopping)) is not None:
            match message:
                case Batch(number, items) if items:
                    self._sizes[number] = len(items)
                    self._outcomes[number] = []
                    for item in items:
                        self._decoders.put(Job(number, item))
                case Stop():
                    self._stopping = True
                case _:
                    raise RuntimeFailure(f"a worker has no use for {type(message).__name__}")

    def _advance(self, outbox: Outbox) -> None:
        """Classify the next decoded item; answer its batch if it was the last one of it."""
        decoded = self._decoders.get()
        number = decoded.job.batch
        outcomes = self._outcomes[number]
        outcomes.append(self._classify(decoded))
        if len(outcomes) < self._sizes[number]:
            return
        del self._sizes[number], self._outcomes[number]
        outbox.send(
            Done(
                worker=self._worker,
                generation=self._generation,
                batch=number,
                outcomes=tuple(outcomes),
            )
        )

    def _classify(self, decoded: Decoded) -> Outcome:
        begun = time.monotonic()
        ended, ranked, error = begun, None, None
        if isinstance(decoded.result, ItemError):
            error = decoded.result
        else:
            scores = self._runtime.infer(decoded.result)
            ended = time.monotonic()
            try:
                ranked = top5(scores)
            except RuntimeFailure as failure:
                error = ItemError("bad_output", str(failure))
        return Outcome(
            item=decoded.job.item.id,
            top5=ranked,
            error=error,
            started=decoded.started,
            decode_ms=(decoded.finished - decoded.started) * 1000,
            wait_ms=(begun - decoded.finished) * 1000,
            infer_ms=(ended - begun) * 1000,
        )


@contextmanager
def _queues(spec: WorkerSpec) -> Iterator[tuple[Inbox, Outbox]]:
    context: Context = zmq.Context()
    inbox = Inbox(context, spec.inbox)
    outbox = Outbox(context, spec.sink)
    try:
        yield inbox, outbox
    finally:
        inbox.close()
        outbox.close(flush=True)
        context.term()
