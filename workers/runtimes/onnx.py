"""ONNX Runtime on the CPU: the default where there is no NPU."""

from __future__ import annotations

import os
import re
from hashlib import sha256
from typing import Any, Final

import numpy.typing as npt

from workers.errors import RuntimeFailure
from workers.protocol.spec import WorkerSpec
from workers.runtimes import external_weights, model_file
from workers.runtimes.base import (
    INSTALL_ONNX,
    check_inputs,
    check_tensor,
    input_from,
)
from workers.shell import shell_command

DTYPES: Final = {"tensor(uint8)": "uint8", "tensor(float)": "float32"}
NUMBERS: Final = re.compile(r"tensor\((bfloat|float|double|u?int)\d*\)")
WEIGHTS_IN_MEMORY: Final = "add_external_initializers_from_files_in_memory"  # not in 1.23
ONE_FILE: Final = (
    "python -c 'import onnx, sys; onnx.save(onnx.load(sys.argv[1]), sys.argv[2])' OLD NEW"
)
ERRORS_ONLY: Final = 3  # ONNX Runtime's log level; warnings would mix with the farm's output


class OnnxRuntime:
    """One ONNX model on one CPU thread; the farm's processes are the parallelism."""

    def __init__(self, spec: WorkerSpec) -> None:
        ort = _onnxruntime()
        with model_file.opening(spec.model) as digest:
            weights = external_weights.read(spec.model)
            self._session = _session(ort, spec.model, weights)
        self.model = "+".join([digest, *(sha256(each).hexdigest() for each in weights.values())])
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        check_inputs(spec.model, len(inputs))
        dtype = DTYPES.get(inputs[0].type, inputs[0].type)
        self.input = input_from(_dims(inputs[0]), dtype, spec.input)
        for output in outputs:
            if not NUMBERS.fullmatch(output.type):
                raise RuntimeFailure(f"{spec.model} returns {output.type}; numbers are needed")
        self._input_name = inputs[0].name

    def infer(self, tensor: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], ...]:
        """See Runtime.infer."""
        check_tensor(tensor, self.input)
        try:
            return tuple(self._session.run(None, {self._input_name: tensor}))
        except Exception as error:  # ONNX Runtime's exceptions share no base of their own
            raise RuntimeFailure(f"ONNX Runtime failed: {error}") from error

    def close(self) -> None:
        """See Runtime.close; the session is freed with this object."""


def _dims(value: Any) -> tuple[int | None, ...]:
    """Return an input's or output's shape, in which ONNX names the dimensions that are open."""
    return tuple(dim if isinstance(dim, int) and dim >= 0 else None for dim in value.shape or ())


def _onnxruntime() -> Any:
    # Since 1.32 it would send usage data over the network, and leave files in /tmp and ~/.cache.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    try:
        import onnxruntime
    except ImportError as error:
        raise RuntimeFailure(
            f"ONNX Runtime can't be imported ({error}); install it: {shell_command(INSTALL_ONNX)}"
        ) from error
    return onnxruntime


def _session(ort: Any, model: str, weights: dict[str, bytes]) -> Any:
    """Open a model whose `weights` are in other files, by their names; {} if they are not.

    ONNX Runtime would map those files: who writes to one would change the model that runs.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = ERRORS_ONLY
    if weights and not hasattr(options, WEIGHTS_IN_MEMORY):
        raise RuntimeFailure(
            f"{model}: its weights are in {', '.join(weights)}, which ONNX Runtime "
            f"{ort.__version__} can't read safely; upgrade it (Python 3.11 or newer), or put them "
            f"into the model: {ONE_FILE}"
        )
    try:
        if weights:
            files, sizes = list(weights.values()), [len(each) for each in weights.values()]
            getattr(options, WEIGHTS_IN_MEMORY)(list(weights), files, sizes)
        return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's exceptions share no base of their own
        raise RuntimeFailure(f"{model}: ONNX Runtime can't open it: {error}") from error
