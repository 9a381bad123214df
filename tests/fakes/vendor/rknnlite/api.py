"""A fake of rknn-toolkit-lite2 2.5.0 that has the real one's habits, the bad ones included.

Nothing raises where the real one does not, codes tell; a context outlives a refused init and
answers; a failed run leaves the outputs of the run before, and `inference` hides its code; the
levels of `logging` are renamed; there are prints to standard output, and the C library's own
lines on standard error.

The SoC is $FAKE_SOC (default rk3588). A model is a file with one JSON object, keys of Model;
`fault` is KIND or KIND@CORE, with the kinds of FAULTS.
"""

from __future__ import annotations

import ctypes
import json
import logging
import os
import signal
import time
import traceback
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

CORES = {"rk3588": 3, "rk3576": 2}
MASKS = {0: 0, 1: 0, 2: 1, 4: 2}  # mask: core
FAULTS = {
    "init": "init_runtime is refused",
    "init-segv": "init_runtime kills the process",
    "init-hang": "init_runtime never returns",
    "run": "every run fails at once, the outputs stay",
    "run-stuck": "every run fails, and release never returns",
    "run-2": "the second run and all after it fail, the outputs stay",
    "run-segv": "the first run kills the process",
    "run-2-segv": "the second run kills the process",
    "run-hang": "the first run never returns",
    "run-2-hang": "the second run never returns",
    "no-outputs": "get_outputs gives None",
    "not-finite": "the scores are not numbers",
    "nice": "init_runtime makes the process as urgent as can be",
}
LEAKED: list[bytes] = []
CALLS: list[tuple[Any, ...]] = []  # what this process has asked for

for _level, _letter in zip(range(10, 60, 10), "DIWEC", strict=True):
    logging.addLevelName(_level, _letter)
_log = logging.getLogger("acuityLogger")
_log.propagate = False
_log.setLevel(logging.DEBUG)
_log.addHandler(logging.StreamHandler())
print("fake vendor: a banner on standard output")


@dataclass(frozen=True)
class Model:
    """What a model file of the fake says of itself."""

    soc: str = "rk3588"
    input: tuple[int, ...] = (1, 224, 224, 3)
    input_format: int = 1  # NHWC
    outputs: tuple[tuple[int, ...], ...] = ((1, 36),)
    inputs: int = 1
    fault: str = ""
    ms: float = 0.0
    leak_mb: int = 0  # lost in each run


class TensorAttribute(ctypes.Structure):
    """The struct that get_tensor_attr gives, as far as it is read; unused dims hold rubbish."""

    _fields_ = (
        ("n_dims", ctypes.c_uint32),
        ("dims", ctypes.c_uint32 * 16),
        ("fmt", ctypes.c_int),
    )


class Runtime:
    """`RKNNLite.rknn_runtime`."""

    def __init__(self, model: Model | None, core: int) -> None:
        self._model, self._core = model, core
        self._runs = 0
        self._sent = b""
        self._outputs = (
            [np.full(shape, 0.1, np.float32) for shape in model.outputs] if model else []
        )

    def fault(self) -> str:
        """The model's fault, if it is one of this core."""
        kind, _, core = self._known().fault.partition("@")
        return kind if not core or int(core) == self._core else ""

    def stuck(self) -> bool:
        """Whether the context can't be freed."""
        return self._model is not None and self.fault() == "run-stuck"

    def get_in_out_num(self) -> tuple[int, int]:
        """How many inputs and outputs."""
        return self._known().inputs, len(self._known().outputs)

    def get_tensor_attr(self, index: int, is_output: bool = False) -> TensorAttribute:
        """Shape and format of one."""
        dims = self._known().outputs[index] if is_output else self._known().input
        padded = (ctypes.c_uint32 * 16)(*dims, *(77,) * (16 - len(dims)))
        return TensorAttribute(len(dims), padded, 3 if is_output else self._known().input_format)

    def set_inputs(self, inputs: list[Any], data_type: Any, data_format: Any) -> int:
        """As the real one, looks at nothing but the number of dimensions."""
        CALLS.append(("set_inputs", inputs, data_type, data_format))
        if inputs[0].ndim != len(self._known().input):
            raise Exception("The input(ndarray) shape is wrong")
        self._sent = inputs[0].tobytes()
        return 0

    def run(self, get_frame_id: bool) -> Any:
        """Run the model, or do what its fault says."""
        CALLS.append(("run",))
        self._runs += 1
        time.sleep(self._known().ms / 1000)
        LEAKED.append(b"x" * (self._known().leak_mb << 20))
        code = self._misbehave(self.fault())
        if code == 0:
            for output in self._outputs:
                drawn = np.random.default_rng(zlib.crc32(self._sent)).random(output.shape)
                output[...] = drawn if self.fault() != "not-finite" else np.nan
        return (code, self._runs) if get_frame_id else code

    def get_outputs(self, get_frame_id: bool, reuse_outputs: bool = True) -> Any:
        """The outputs of the last run that went well, or what was there before."""
        CALLS.append(("get_outputs", reuse_outputs))
        if self.fault() == "no-outputs":
            return None
        outputs = self._outputs if reuse_outputs else [output.copy() for output in self._outputs]
        return (outputs, self._runs) if get_frame_id else outputs

    def _misbehave(self, fault: str) -> int:
        first, second = self._runs == 1, self._runs == 2
        if (fault == "run-segv" and first) or (fault == "run-2-segv" and second):
            os.kill(os.getpid(), signal.SIGSEGV)
        if (fault == "run-hang" and first) or (fault == "run-2-hang" and second):
            time.sleep(3600)
        if fault in {"run", "run-stuck"} or (fault == "run-2" and not first):
            os.write(2, b"E RKNN: [12:00:00.000] failed to submit!, op id: 1, flags: 0x5\n")
            return -1
        return 0

    def _known(self) -> Model:
        if self._model is None:
            raise ctypes.ArgumentError("argument 1: wrong type")
        return self._model


class RKNNLite:
    """The vendor's class: the calls that the farm makes, and the one it must not."""

    def __init__(self) -> None:
        self._data: bytes | None = None
        self.rknn_runtime: Runtime | None = None
        _log.warning("rknn-toolkit-lite2 version: 2.5.0 (fake)")

    def load_rknn(self, path: str) -> int:
        """0 for any readable file, whatever is in it."""
        CALLS.append(("load_rknn", path))
        try:
            with open(path, "rb") as file:
                self._data = file.read()
        except OSError:
            _log.error("Invalid RKNN model path: %s", path)
            return -1
        return 0

    def init_runtime(self, core_mask: int = 0) -> int:
        """0 or -1; then rknn_runtime may be there all the same."""
        CALLS.append(("init_runtime", core_mask))
        soc, core = os.environ.get("FAKE_SOC", "rk3588"), MASKS.get(core_mask, 0)
        model = _parsed(self._data or b"", soc)
        self.rknn_runtime = Runtime(model, core)
        if model is None:
            return _refused("RKNN init failed. error code: RKNN_ERR_MODEL_INVALID")
        if core_mask not in MASKS or (core_mask and core >= CORES.get(soc, 0)):
            _log.error("The core mode %d is not supported currently.", core_mask)
            _log.error("Catch exception when set npu core mode.")
            return -1
        return _init_fault(self.rknn_runtime.fault())

    def inference(self, inputs: list[Any]) -> Any:
        """Ignores the code of the run, as the real one does."""
        assert self.rknn_runtime is not None
        self.rknn_runtime.set_inputs(inputs, None, None)
        self.rknn_runtime.run(False)
        return self.rknn_runtime.get_outputs(False)

    def release(self) -> None:
        """May be called twice."""
        CALLS.append(("release",))
        if self.rknn_runtime is not None and self.rknn_runtime.stuck():
            time.sleep(3600)
        self.rknn_runtime = None


def _parsed(data: bytes, soc: str) -> Model | None:
    try:
        said = json.loads(data)
    except ValueError:
        os.write(2, b"E RKNN: [12:00:00.000] rknn_init, load model failed!\n")
        return None
    model = Model(**said)
    if model.soc != soc:
        os.write(2, f"E RKNN: [12:00:00.000] the model is for {model.soc}, not {soc}\n".encode())
        return None
    return model


def _init_fault(fault: str) -> int:
    if fault == "init-segv":
        os.kill(os.getpid(), signal.SIGSEGV)
    if fault == "init-hang":
        time.sleep(3600)
    if fault == "nice":
        os.setpriority(os.PRIO_PROCESS, 0, -19)
    if fault == "init":
        return _refused("Unsupported run platform")
    os.write(1, b"fake vendor: a line whose end is still in C's buffer")
    return 0


def _refused(reason: str) -> int:
    try:
        raise Exception(reason)
    except Exception:
        _log.error("Catch exception when init runtime!")
        _log.error(traceback.format_exc())
    return -1
