"""A make-believe NPU for machines that have none: real waiting, no CPU use, no real answers.

Each core is a time line in a file that all workers of a run map: the time until which the core
is taken, and how long it has been busy. Whoever comes first is served first, as in the driver.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from workers.errors import RuntimeFailure
from workers.runtime import CHANNELS, check_tensor, from_hint
from workers.spec import NHWC, UINT8, InputSpec, SimulatedSpec, WorkerSpec

LINE: Final = struct.Struct("=dd")  # free from (CLOCK_MONOTONIC seconds), busy for (seconds)
DEFAULT_INPUT: Final = InputSpec(width=224, height=224, layout=NHWC, dtype=UINT8)
SAMPLED_ROWS: Final = 7  # every 7th row is hashed: 20 us instead of 150, and photos still differ
SHARPNESS: Final = 8.0  # spreads the make-believe scores as a trained model's are


class Timelines:
    """The NPU cores' time lines in a shared file; safe to use from many processes at once."""

    def __init__(self, path: str, cores: int) -> None:
        self._cores = cores
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with self._locked():
            if os.fstat(self._fd).st_size < cores * LINE.size:
                os.truncate(self._fd, cores * LINE.size)
        self._map = mmap.mmap(self._fd, cores * LINE.size)

    def reserve(self, core: int, seconds: float) -> float:
        """Take `core` for `seconds` after all who asked before; gives the time when that ends."""
        with self._locked():
            free_from, busy_for = LINE.unpack_from(self._map, core * LINE.size)
            end = max(time.monotonic(), free_from) + seconds
            LINE.pack_into(self._map, core * LINE.size, end, busy_for + seconds)
        return float(end)

    def busy_seconds(self) -> tuple[float, ...]:
        """How long each core has been taken since the file was made."""
        with self._locked():
            offsets = range(0, self._cores * LINE.size, LINE.size)
            return tuple(float(LINE.unpack_from(self._map, at)[1]) for at in offsets)

    def close(self) -> None:
        """Unmap and close the file, which stays for the others; may be called twice."""
        if not self._map.closed:
            self._map.close()
            os.close(self._fd)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        # The kernel drops this lock with its holder: a killed worker never blocks the others.
        fcntl.lockf(self._fd, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.lockf(self._fd, fcntl.LOCK_UN)


class SimulatedRuntime:
    """Waits as long as an NPU would take; the scores depend on the pixels and the seed alone."""

    def __init__(self, spec: WorkerSpec) -> None:
        if spec.simulated is None:
            raise RuntimeFailure("a simulated worker needs the simulated NPU's figures")
        self._npu: SimulatedSpec = spec.simulated
        self._core = spec.npu_core
        self._timelines = Timelines(self._npu.timelines, self._npu.npu_cores)
        self.input = from_hint(spec.input, DEFAULT_INPUT)
        self.classes = self._npu.classes

    def infer(self, tensor: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """See Runtime.infer; the scores are made up."""
        check_tensor(tensor, self.input)
        end = self._timelines.reserve(self._core, self._npu.service_ms / 1000)
        scores = self._scores(tensor)
        time.sleep(max(0.0, end - time.monotonic()))
        return scores

    def close(self) -> None:
        """See Runtime.close."""
        self._timelines.close()

    def _scores(self, tensor: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        rows = tensor.reshape(-1, self.input.width * CHANNELS)[::SAMPLED_ROWS]
        key = zlib.crc32(rows.tobytes(), self._npu.seed & 0xFFFFFFFF)
        drawn = np.random.Generator(np.random.PCG64(key)).random(self.classes, np.float32)
        powers = np.exp(SHARPNESS * drawn)
        return np.asarray(powers / powers.sum(), np.float32)
