"""Opens the runtime that a worker's spec names."""

from __future__ import annotations

from workers.errors import RuntimeFailure
from workers.protocol.spec import WorkerSpec
from workers.runtimes.base import ONNX, RKNN, SIMULATED, Runtime


def open_runtime(spec: WorkerSpec) -> Runtime:
    """Open the runtime that `spec` names; raise RuntimeFailure with the reason."""
    # Each adapter is imported only where it is used: boards have no onnxruntime, PCs no rknnlite.
    if spec.runtime == RKNN:
        from workers.runtimes.rknn import RknnRuntime

        return RknnRuntime(spec)
    if spec.runtime == ONNX:
        from workers.runtimes.onnx import OnnxRuntime

        return OnnxRuntime(spec)
    if spec.runtime == SIMULATED:
        from workers.runtimes.simulated import SimulatedRuntime

        return SimulatedRuntime(spec)
    raise RuntimeFailure(f"runtime {spec.runtime!r} is not known: {RKNN}, {ONNX} or {SIMULATED}")
