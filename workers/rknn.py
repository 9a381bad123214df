"""Rockchip's NPU through rknn-toolkit-lite2; the only file that imports the vendor's package.

RKNNLite.inference() ignores the return code of a failed run and hands out the outputs of the run
before, so the steps are called one by one and each code is checked.
"""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from workers.errors import RuntimeFailure
from workers.runtime import check_tensor, input_from
from workers.spec import NHWC, UINT8, WorkerSpec


class RknnRuntime:
    """One .rknn model in one RKNN context on one NPU core."""

    def __init__(self, spec: WorkerSpec) -> None:
        self._lite = _rknnlite()
        try:
            self._open(spec)
        except Exception as error:
            # After a refused init the context lives on, and would even answer: free it.
            self._lite.release()
            if isinstance(error, RuntimeFailure):
                raise
            raise RuntimeFailure(f"{spec.model}: RKNN refuses it: {error}") from error

    def infer(self, tensor: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """See Runtime.infer."""
        check_tensor(tensor, self.input)
        vendor = self._lite.rknn_runtime
        try:
            vendor.set_inputs([tensor], None, None)
        except Exception as error:  # the vendor raises bare Exception
            raise RuntimeFailure(f"RKNN set_inputs failed: {error}") from error
        code = vendor.run(False)
        if code != 0:
            raise RuntimeFailure(f"RKNN run returned {code}: the NPU driver refused or failed it")
        outputs = vendor.get_outputs(False, reuse_outputs=False)
        if not outputs:
            raise RuntimeFailure("RKNN get_outputs gave nothing")
        scores: npt.NDArray[Any] = outputs[0]
        return scores

    def close(self) -> None:
        """See Runtime.close."""
        self._lite.release()

    def _open(self, spec: WorkerSpec) -> None:
        _check(f"load_rknn({spec.model!r})", self._lite.load_rknn(spec.model))
        mask = {} if spec.core_mask is None else {"core_mask": spec.core_mask}
        _check(f"init_runtime({_said(mask)})", self._lite.init_runtime(**mask))
        vendor = self._lite.rknn_runtime
        dims = _dims(vendor.get_tensor_attr(0, is_output=False))
        self.input = input_from(dims, spec.input.dtype or UINT8, spec.input)
        if self.input.layout != NHWC:
            raise RuntimeFailure(f"{spec.model}: the NPU takes NHWC images, the model {list(dims)}")
        self.classes = 1
        for dim in _dims(vendor.get_tensor_attr(0, is_output=True)):
            self.classes *= dim


def _rknnlite() -> Any:
    try:
        from rknnlite.api import RKNNLite
    except ImportError as error:
        raise RuntimeFailure(
            f"rknn-toolkit-lite2 can't be imported ({error}); "
            "on a board, install it: pip install rknn-toolkit-lite2"
        ) from error
    return RKNNLite()


def _check(call: str, code: int) -> None:
    if code != 0:
        raise RuntimeFailure(f"RKNNLite.{call} returned {code}")


def _said(mask: dict[str, int]) -> str:
    return ", ".join(f"{key}={value}" for key, value in mask.items())


def _dims(attribute: Any) -> tuple[int, ...]:
    return tuple(attribute.dims[: attribute.n_dims])
