"""Rockchip's NPU through rknn-toolkit-lite2; the only file that imports the vendor's package.

RKNNLite.inference() ignores the return code of a failed run and returns the outputs of the run
before, so its steps are called one by one and each code is checked.
"""

from __future__ import annotations

import logging
import os
import sys
from collections import deque
from collections.abc import Callable
from typing import Any, Final

import numpy.typing as npt

from workers.errors import RuntimeFailure
from workers.protocol import startup as steps
from workers.protocol.spec import NHWC, UINT8, WorkerSpec
from workers.runtimes import model_file
from workers.runtimes.base import (
    check_inputs,
    check_tensor,
    input_from,
    why_no_rknn,
)
from workers.shell import shell_command

VENDOR_LOGGER: Final = "acuityLogger"
KEPT_LINES: Final = 20
HEADINGS: Final = ("Catch exception", "-----")  # lines of its log that only announce the next one
NCHW_FORMAT: Final = 0  # rknn_tensor_format in rknn_api.h: NCHW 0, NHWC 1, NC1HWC2 2, undefined 3


class RknnRuntime:
    """One .rknn model in one RKNN context on one NPU core."""

    def __init__(self, spec: WorkerSpec) -> None:
        self._log = _VendorLog()
        self._lite = _rknnlite(self._log)
        try:
            self._open(spec)
        except BaseException:
            # After a failed init the context still exists, and would even answer: free it.
            self.close()
            raise

    def infer(self, tensor: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], ...]:
        """See Runtime.infer."""
        check_tensor(tensor, self.input)
        vendor = self._lite.rknn_runtime
        self._checked("set_inputs", lambda: vendor.set_inputs([tensor], None, None))
        self._checked("run", lambda: vendor.run(False))
        # Fresh arrays, filled by the library itself: `reuse_outputs` would save nothing but the
        # allocation, and return views that the next call overwrites.
        outputs = self._called(
            "get_outputs", lambda: vendor.get_outputs(False, reuse_outputs=False)
        )
        if not outputs:
            raise RuntimeFailure(f"RKNNLite.get_outputs returned nothing{self._log.reason()}")
        return tuple(outputs)

    def close(self) -> None:
        """See Runtime.close."""
        self._lite.release()

    def _open(self, spec: WorkerSpec) -> None:
        """Load the model and learn its shapes; raise RuntimeFailure if it takes no image."""
        nice = os.getpriority(os.PRIO_PROCESS, 0)
        mask = {} if spec.core_mask is None else {"core_mask": spec.core_mask}
        options = ", ".join(f"{key}={value}" for key, value in mask.items())
        with model_file.opening(spec.model) as self.model:
            self._step(f"load_rknn({spec.model!r})", lambda: self._lite.load_rknn(spec.model))
            self._step(f"init_runtime({options})", lambda: self._lite.init_runtime(**mask))
        # Where it may, the library makes its process the most urgent of all (nice -19), and every
        # thread started from here on with it: decoders would starve the rest of the board.
        if os.getpriority(os.PRIO_PROCESS, 0) < nice:
            os.setpriority(os.PRIO_PROCESS, 0, nice)
        vendor = self._lite.rknn_runtime
        inputs, _ = self._called("get_in_out_num", vendor.get_in_out_num)
        check_inputs(spec.model, inputs)
        image = self._called("get_tensor_attr", lambda: vendor.get_tensor_attr(0))
        dims = _dims(image)
        if image.fmt == NCHW_FORMAT:
            raise RuntimeFailure(f"{spec.model} takes NCHW images {list(dims)}; NHWC is needed")
        self.input = input_from(dims, spec.input.dtype or UINT8, spec.input)
        if self.input.layout != NHWC:
            raise RuntimeFailure(f"{spec.model}: the NPU takes NHWC images, the model {list(dims)}")

    def _step(self, call: str, function: Callable[[], Any]) -> None:
        """Make one call of the start, which may hang or kill: it is announced first."""
        steps.begin(f"RKNNLite.{call}")
        self._checked(call, function)

    def _checked(self, call: str, function: Callable[[], Any]) -> None:
        code = self._called(call, function)
        if code != 0:
            raise RuntimeFailure(f"RKNNLite.{call} returned {code}{self._log.reason()}")

    def _called(self, call: str, function: Callable[[], Any]) -> Any:
        self._log.clear()
        try:
            return function()
        except Exception as error:  # the vendor raises bare Exception, and ctypes its own
            raise RuntimeFailure(f"RKNNLite.{call} failed: {error}") from error


class _VendorLog(logging.Handler):
    """The last lines of the vendor's logger: the reason behind a return code of -1."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the last line of a record: of a traceback, that is the reason."""
        self._lines.append(record.getMessage().strip().rpartition("\n")[2])

    def clear(self) -> None:
        """Forget the lines about earlier calls."""
        self._lines.clear()

    def reason(self) -> str:
        """Return the lines since, as the end of a sentence; empty if there are none."""
        lines = [line for line in self._lines if not line.startswith(HEADINGS)] or list(self._lines)
        return f": {'; '.join(lines)}" if lines else ""


def _rknnlite(log: _VendorLog) -> Any:
    levels = [(level, logging.getLevelName(level)) for level in range(10, 60, 10)]
    try:
        from rknnlite.api import RKNNLite
    except ImportError as error:
        why, fix = why_no_rknn(sys.version_info[:2])
        raise RuntimeFailure(
            f"rknn-toolkit-lite2 {why} ({error}); on a board, try: {shell_command(fix)}"
        ) from error
    finally:
        for level, name in levels:  # the package renames those of the whole process
            logging.addLevelName(level, name)
    logging.getLogger(VENDOR_LOGGER).handlers[:] = [log]
    return RKNNLite()


def _dims(attribute: Any) -> tuple[int, ...]:
    return tuple(attribute.dims[: attribute.n_dims])
