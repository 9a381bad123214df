"""ONNX Runtime on the CPU: the default where there is no NPU."""

from __future__ import annotations

import os
from typing import Any, Final

import numpy.typing as npt

from workers.errors import RuntimeFailure
from workers.protocol.spec import WorkerSpec
from workers.runtimes.base import (
    INSTALL_ONNX,
    check_classifier,
    check_scores,
    check_tensor,
    input_from,
)

DTYPES: Final = {"tensor(uint8)": "uint8", "tensor(float)": "float32"}
SCORES: Final = ("tensor(float)", "tensor(float16)", "tensor(uint8)", "tensor(int8)")
ERRORS_ONLY: Final = 3  # ONNX Runtime's log level; warnings would mix with the farm's output


class OnnxRuntime:
    """One ONNX model on one CPU thread; the farm's processes are the parallelism."""

    def __init__(self, spec: WorkerSpec) -> None:
        self._session = _session(spec.model)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        check_classifier(spec.model, len(inputs), len(outputs))
        dtype = DTYPES.get(inputs[0].type, inputs[0].type)
        self.input = input_from(_dims(inputs[0]), dtype, spec.input)
        if outputs[0].type not in SCORES:
            raise RuntimeFailure(
                f"{spec.model} returns {outputs[0].type}; float32 or (u)int8 scores are needed"
            )
        if dims := _dims(outputs[0]):  # else the model does not say even their number
            check_scores(spec.model, dims)
        self._input_name, self._output_name = inputs[0].name, outputs[0].name

    def infer(self, tensor: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """See Runtime.infer."""
        check_tensor(tensor, self.input)
        try:
            (scores,) = self._session.run([self._output_name], {self._input_name: tensor})
        except Exception as error:  # ONNX Runtime's exceptions share no base of their own
            raise RuntimeFailure(f"ONNX Runtime failed: {error}") from error
        result: npt.NDArray[Any] = scores
        return result

    def close(self) -> None:
        """See Runtime.close; the session is freed with this object."""


def _dims(value: Any) -> tuple[int | None, ...]:
    """Return an input's or output's shape, in which ONNX names the dimensions that are open."""
    return tuple(dim if isinstance(dim, int) and dim >= 0 else None for dim in value.shape or ())


def _session(model: str) -> Any:
    # Since 1.32 it would send usage data over the network, and leave files in /tmp and ~/.cache.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    try:
        import onnxruntime as ort
    except ImportError as error:
        raise RuntimeFailure(
            f"ONNX Runtime can't be imported ({error}); install it: {INSTALL_ONNX}"
        ) from error
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = ERRORS_ONLY
    try:
        return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's exceptions share no base of their own
        raise RuntimeFailure(f"{model}: ONNX Runtime can't open it: {error}") from error
