"""A worker's work: PULL a batch, decode ahead, infer; its answer is ranked and PUSHed meanwhile."""

from __future__ import annotations

import ctypes
import os
import sys
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import zmq

from workers import sched_slice as slices
from workers.answers import Answers, Inferred, Part
from workers.errors import FarmError, RuntimeFailure
from workers.images.decode_pool import Decoded, DecodePool, Job
from workers.images.fit import ImageInfo
from workers.images.preprocess import load
from workers.protocol import startup as steps
from workers.protocol.messages import (
    Batch,
    Failed,
    ItemError,
    Pixels,
    Ready,
    Stop,
    WorkerInit,
)
from workers.protocol.sockets import Context, Inbox, Outbox
from workers.runtimes.base import Runtime
from workers.runtimes.registry import open_runtime
from workers.tasks.registry import find_task
from workers.tasks.task import MakeTask, Model, Outputs, Task

EXIT_OK: Final = 0
EXIT_FAILED: Final = 70  # the reason was sent in a Failed message
IPC: Final = "ipc://"  # before the path of a Unix socket
FOLDER_REMOVED: Final = (
    "was removed while the farm runs, or its sockets were: restart the farm, and see what removes "
    "temporary files (tmpwatch, tmpreaper, cron)"
)
# Of a batch, the outputs of so many images are kept before they are answered: of a classifier those
# of all, as it ranks them at once; of a detector those of one.
MOST_HELD_BYTES: Final = 1 << 20
SQUARES: Final = 8  # per side of the self-test image


def run(init: WorkerInit) -> int:
    """Run the worker that `init` describes until Stop comes; return the exit code."""
    spec = init.spec
    if not os.path.exists(spec.sink.removeprefix(IPC)):
        # The reason can't be sent. Of what a worker prints, the coordinator tells the last line.
        print(f"{spec.run_dir}, the farm's folder, {FOLDER_REMOVED}", file=sys.stderr)
        return EXIT_FAILED
    with ExitStack() as stack:
        context: Context = zmq.Context()
        stack.callback(context.term)
        inbox = Inbox(context, spec.inbox)
        stack.callback(inbox.close)
        outbox = Outbox(context, spec.sink)
        stack.callback(outbox.close, flush=True)
        try:
            make_task = find_task(spec)
            runtime = open_runtime(spec)
            stack.callback(runtime.close)
            ready, task = self_test(init, runtime, make_task)
            decoders = DecodePool(spec.decoders, spec.decoder_cpus, runtime.input, spec.decode)
            stack.callback(decoders.close)
            slices.shorten()  # after the start of the decoders, which keep the kernel's default
            steps.begin(steps.REPORT)
            outbox.send(ready)
            with closing(Answers(ready, task, outbox)) as answers:
                BatchLoop(runtime, decoders, answers).serve(inbox)
        except FarmError as error:
            ctypes.CDLL(None).fflush(None)  # what C libraries have printed about it comes first
            # Sent before the runtime is closed: after a failed job, a driver may hang in that.
            outbox.send(Failed(worker=spec.index, generation=init.generation, message=str(error)))
            # Stay until the coordinator has read it: it learns the reason before the exit.
            while not isinstance(inbox.receive(block=True), Stop):
                pass
            return EXIT_FAILED
    return EXIT_OK


def self_test(init: WorkerInit, runtime: Runtime, make_task: MakeTask) -> tuple[Ready, Task]:
    """Run one inference, which also warms the model up; raise RuntimeFailure if it fails.

    An NPU core may exist, and fail or hang at its first job. The outputs of the one image that all
    workers test with decide how the task reads those of every image.
    """
    steps.begin(steps.SELF_TEST)
    height, width = runtime.input.height, runtime.input.width
    tensor, _ = load(Pixels(pattern(width, height).tobytes(), height, width), runtime.input)
    start = time.monotonic()
    try:
        outputs = runtime.infer(tensor)
        end = time.monotonic()
        steps.begin(f"making the task {init.spec.task}")
        task = make_task(Model(init.spec.model or init.spec.runtime, outputs, width, height))
    except RuntimeFailure as failure:
        raise RuntimeFailure(f"the self-test failed: {failure}") from failure
    ready = Ready(
        worker=init.spec.index,
        generation=init.generation,
        model=runtime.model,
        input=runtime.input,
        classes=task.classes,
        reading=task.reading,
        self_test_ms=(end - start) * 1000,
    )
    return ready, task


def pattern(width: int, height: int) -> npt.NDArray[np.uint8]:
    """Return an image of all colours and of shapes, height x width x 3, BGR.

    A plain one would tell little: of its scores, few differ.
    """
    rows, columns = np.arange(height)[:, np.newaxis], np.arange(width)
    image = np.empty((height, width, 3), np.uint8)
    image[..., 0] = rows * 255 // height
    image[..., 1] = columns * 255 // width
    image[..., 2] = (rows * SQUARES // height + columns * SQUARES // width) % 2 * 255
    return image


@dataclass(slots=True)
class BatchWork:
    """A batch in work: how many of its images are not inferred yet, and those that are kept."""

    number: int
    left: int
    images: list[Inferred] = field(default_factory=list)
    held_bytes: int = 0


class BatchLoop:
    """Works through batches, on the one thread that may use its runtime and inbox."""

    def __init__(self, runtime: Runtime, decoders: DecodePool, answers: Answers) -> None:
        self._runtime, self._decoders, self._answers = runtime, decoders, answers
        self._work: dict[int, BatchWork] = {}
        self._stopping = False

    def serve(self, inbox: Inbox) -> None:
        """Work until Stop has come and every batch is done."""
        while self._work or not self._stopping:
            self._receive(inbox)
            if self._work:
                decoded = self._decoders.get()
                self._keep(self._work[decoded.job.batch], self._infer(decoded))

    def _receive(self, inbox: Inbox) -> None:
        """Take all batches that have come; with nothing to do, wait for one."""
        while (message := inbox.receive(block=not self._work and not self._stopping)) is not None:
            match message:
                case Batch(number, items) if items:
                    self._work[number] = BatchWork(number, len(items))
                    for item in items:
                        self._decoders.put(Job(number, item))
                case Stop():
                    self._stopping = True
                case _:
                    raise RuntimeFailure(f"a worker has no use for {type(message).__name__}")

    def _keep(self, work: BatchWork, image: Inferred) -> None:
        """Keep an image until its batch is whole, or what is kept of it is too large."""
        work.left -= 1
        work.images.append(image)
        if not isinstance(image.result, ItemError):
            work.held_bytes += sum(output.nbytes for output in image.result[0])
        if work.left == 0:
            del self._work[work.number]
        if work.left == 0 or work.held_bytes > MOST_HELD_BYTES:
            self._answers.put(Part(work.number, work.images, work.left == 0))
            work.images, work.held_bytes = [], 0

    def _infer(self, decoded: Decoded) -> Inferred:
        begin = end = time.monotonic()
        result: tuple[Outputs, ImageInfo] | ItemError
        if isinstance(decoded.result, ItemError):
            result = decoded.result
        else:
            tensor, info = decoded.result
            result = self._runtime.infer(tensor), info
            end = time.monotonic()
        return Inferred(
            item=decoded.job.item.id,
            result=result,
            decode_began=decoded.started,
            decode_ended=decoded.finished,
            infer_began=begin,
            infer_ended=end,
        )
