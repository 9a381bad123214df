"""Opens the runtime that a worker's spec names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from workers.errors import RuntimeFailure
from workers.protocol.spec import WorkerSpec
from workers.runtimes.base import ONNX, RKNN, SIMULATED, Runtime
from workers.runtimes.onnx import OnnxRuntime
from workers.runtimes.rknn import RknnRuntime
from workers.runtimes.simulated import SimulatedRuntime

# Each imports its vendor's package only when it is made: boards have no onnxruntime, PCs no
# rknnlite. So the fork server may import all three, once for all workers.
ADAPTERS: Final[Mapping[str, Callable[[WorkerSpec], Runtime]]] = {
    RKNN: RknnRuntime,
    ONNX: OnnxRuntime,
    SIMULATED: SimulatedRuntime,
}


def open_runtime(spec: WorkerSpec) -> Runtime:
    """Open the runtime that `spec` names; raise RuntimeFailure with the reason."""
    adapter = ADAPTERS.get(spec.runtime)
    if adapter is None:
        raise RuntimeFailure(f"runtime {spec.runtime!r} is not known: {', '.join(ADAPTERS)}")
    return adapter(spec)
