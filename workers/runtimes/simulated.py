"""A simulated NPU for machines that have none: real waiting, no CPU use, no real answers."""

from __future__ import annotations

import ctypes
import zlib
from itertools import count
from math import gcd, prod
from time import monotonic, sleep
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from workers.errors import RuntimeFailure
from workers.protocol.spec import NHWC, UINT8, InputSpec, SimulatedSpec, WorkerSpec
from workers.runtimes.base import CHANNELS, check_tensor, from_hint, tensor_shape
from workers.runtimes.npu_timeline import Timelines

DEFAULT_INPUT: Final = InputSpec(width=224, height=224, layout=NHWC, dtype=UINT8)
# How many values are hashed: 3 us instead of 57 for all, and of a 224 x 224 image every square of
# 5 x 5 pixels still counts.
SAMPLED: Final = 3200
SCATTER: Final = 2654435761  # Knuth's multiplicative hash: 2^32 over the golden ratio
PR_SET_TIMERSLACK: Final = 29  # linux/prctl.h
SHARP_NS: Final = 1


class SimulatedRuntime:
    """Waits as long as an NPU would take; the scores depend on the pixels and the seed alone."""

    model = ""

    def __init__(self, spec: WorkerSpec) -> None:
        if spec.simulated is None:
            raise RuntimeFailure("a simulated worker needs the simulated NPU's figures")
        self._npu: SimulatedSpec = spec.simulated
        self._core = spec.npu_core
        self._timelines = Timelines(self._npu.timelines, self._npu.npu_cores)
        self._seed = self._npu.seed & 0xFFFFFFFF
        self._ring = _ring(self._npu.classes)
        self._sharp = False
        self.input = from_hint(spec.input, DEFAULT_INPUT)
        self._step = _step(self.input)
        self.classes = self._npu.classes

    def infer(self, tensor: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """See Runtime.infer; the scores are invented, from the pixels and the seed.

        They blend the ring with itself, turned by two places: a sure answer, or a torn one.
        """
        check_tensor(tensor, self.input)
        end = self._timelines.reserve(self._core, self._npu.service_ms / 1000)
        key = zlib.crc32(tensor.reshape(-1)[:: self._step].tobytes(), self._seed)
        one, other = key % self.classes, key // self.classes % self.classes
        share = 0.5 + (key * SCATTER % 2**32) / 2**33  # 0.5 to 1
        scores = self._ring[one : one + self.classes] * share
        scores += self._ring[other : other + self.classes] * (1 - share)
        if not self._sharp:
            _sharpen_timers()  # here, not where it is opened: it counts for this thread alone
            self._sharp = True
        # Only if time is left: even sleep(0) takes tens of us.
        if (left := end - monotonic()) > 0:
            sleep(left)
        return scores

    def close(self) -> None:
        """See Runtime.close."""
        self._timelines.close()


def _step(spec: InputSpec) -> int:
    """Return the step between hashed values; it divides no row: all columns and channels count."""
    least = max(1, prod(tensor_shape(spec)) // SAMPLED)
    return next(step for step in count(least) if gcd(step, CHANNELS * spec.width) == 1)


def _ring(classes: int) -> npt.NDArray[np.float32]:
    """Return probabilities that fall with the square of their rank (61, 15, 7, 4 % ...), shuffled,
    twice in a row: any `classes` neighbours are a whole answer.
    """
    powers = 1.0 / np.arange(1, classes + 1) ** 2.0
    # Not by numpy.random, whose import would take 2.5 MB in every worker.
    order = np.argsort(np.arange(classes, dtype=np.uint32) * np.uint32(SCATTER))
    shuffled = (powers / powers.sum())[order]
    return np.concatenate([shuffled, shuffled]).astype(np.float32)


def _sharpen_timers() -> None:
    """Let this thread's sleeps end on time; where the kernel has no such option they end later.

    By default Linux adds up to 50 us, to wake up for several sleepers at once (prctl(2)).
    """
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(PR_SET_TIMERSLACK, ctypes.c_ulong(SHARP_NS), 0, 0, 0)
