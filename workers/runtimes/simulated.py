"""A simulated NPU for machines that have none: real waiting, no CPU use, no real answers."""

from __future__ import annotations

import ctypes
import zlib
from itertools import count
from math import gcd, prod
from time import monotonic, sleep
from typing import Any, Final

import numpy.typing as npt

from workers.errors import RuntimeFailure
from workers.protocol.spec import DETECT, NHWC, UINT8, InputSpec, SimulatedSpec, WorkerSpec
from workers.runtimes.base import CHANNELS, check_tensor, from_hint, tensor_shape
from workers.runtimes.invented import Invention, Objects, Scores
from workers.runtimes.npu_timeline import Timelines

DEFAULT_INPUT: Final = InputSpec(width=224, height=224, layout=NHWC, dtype=UINT8)
# How many values are hashed: 3 us instead of 57 for all, and of a 224 x 224 image every square of
# 5 x 5 pixels still counts.
SAMPLED: Final = 3200
PR_SET_TIMERSLACK: Final = 29  # linux/prctl.h
SHARP_NS: Final = 1


class SimulatedRuntime:
    """Waits as long as an NPU would take; its output depends on the pixels and the seed alone.

    It is that of a classifier, or of a detector if that is the worker's task.
    """

    model = ""

    def __init__(self, spec: WorkerSpec) -> None:
        if spec.simulated is None:
            raise RuntimeFailure("a simulated worker needs the simulated NPU's figures")
        self._npu: SimulatedSpec = spec.simulated
        self._core = spec.npu_core
        self._timelines = Timelines(self._npu.timelines, self._npu.npu_cores)
        self._seed = self._npu.seed & 0xFFFFFFFF
        self._sharp = False
        self.input = from_hint(spec.input, DEFAULT_INPUT)
        self._step = _step(self.input)
        self._invention: Invention = (
            Objects(self._npu.classes, self.input.width, self.input.height)
            if spec.task == DETECT
            else Scores(self._npu.classes)
        )

    def infer(self, tensor: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], ...]:
        """See Runtime.infer; the outputs are invented, from the pixels and the seed."""
        check_tensor(tensor, self.input)
        end = self._timelines.reserve(self._core, self._npu.service_ms / 1000)
        key = zlib.crc32(tensor.reshape(-1)[:: self._step].tobytes(), self._seed)
        output = self._invention.of(key)
        if not self._sharp:
            _sharpen_timers()  # here, not where it is opened: it counts for this thread alone
            self._sharp = True
        # Only if time is left: even sleep(0) takes tens of us.
        if (left := end - monotonic()) > 0:
            sleep(left)
        return (output,)

    def close(self) -> None:
        """See Runtime.close."""
        self._timelines.close()


def _step(spec: InputSpec) -> int:
    """Return the step between hashed values; it divides no row: all columns and channels count."""
    least = max(1, prod(tensor_shape(spec)) // SAMPLED)
    return next(step for step in count(least) if gcd(step, CHANNELS * spec.width) == 1)


def _sharpen_timers() -> None:
    """Let this thread's sleeps end on time; where the kernel has no such option they end later.

    By default Linux adds up to 50 us, to wake up for several sleepers at once (prctl(2)).
    """
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(PR_SET_TIMERSLACK, ctypes.c_ulong(SHARP_NS), 0, 0, 0)
