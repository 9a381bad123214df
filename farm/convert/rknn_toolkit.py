"""Rockchip's PC tool, rknn-toolkit2; the only file that imports it, and the onnx it works with.

The tool prints on standard output. Where a step fails it either raises a ValueError whose text is
a whole traceback, or returns a code and gives the reason to its logger alone.
"""

from __future__ import annotations

import ctypes
import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy.typing as npt

from farm.errors import ConversionError
from farm.system.signals import check_exit_requested

FLOAT: Final = 1  # TensorProto.FLOAT in onnx.proto
CHANNELS: Final = 3
LOGGER: Final = "rknnLogger"
COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")
SETUP: Final = (
    "models are converted on an x86-64 PC, not on the board, in an environment of its own:\n"
    "    make converter\n"
    "    build/convert/bin/npu-farm convert ..."
)

Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageInput:
    """An ONNX model's one input, `name`: a float32 RGB image, 1 x 3 x `height` x `width`."""

    name: str
    width: int
    height: int
    open_batch: bool
    """Whether the model leaves the number of images open."""


class Toolkit:
    """The vendor's tool with one model in it: loaded, quantized, then exported or simulated.

    Used in a `with` block. Raises ConversionError if the tool is not installed, and from every
    step that fails, with the vendor's reason.
    """

    def __init__(self, model: Path) -> None:
        self._model = model
        self._onnx, make = _vendor()
        with _stdout_to_stderr():
            self._rknn = make()

    def __enter__(self) -> Toolkit:
        return self

    def __exit__(self, *_: object) -> None:
        with _stdout_to_stderr():
            self._rknn.release()

    def load(self, platform: str, mean: Triple, std: Triple) -> ImageInput:
        """Take the model in for the SoC `platform`; (value - mean) / std becomes part of it."""
        image = _image_input(self._model, self._onnx)
        self._step(
            "config",
            target_platform=platform,
            mean_values=[list(mean)],
            std_values=[list(std)],
        )
        # Names and sizes only where they are needed: the tool warns of them otherwise.
        shape = {"inputs": [image.name], "input_size_list": [[1, CHANNELS, *_size(image)]]}
        self._step("load_onnx", model=str(self._model), **(shape if image.open_batch else {}))
        return image

    def quantize(self, dataset: Path) -> None:
        """Make the model INT8; `dataset` lists .npy files beside it: raw RGB, 1 x 3 x H x W."""
        self._step("build", do_quantization=True, dataset=str(dataset))

    def export(self, path: Path) -> None:
        """Write the .rknn file."""
        self._step("export_rknn", export_path=str(path))

    def simulate(self) -> None:
        """Get the vendor's simulator of the quantized model ready for `infer`."""
        self._step("init_runtime")

    def infer(self, tensor: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Run the simulator on one uint8 RGB image, 1 x H x W x 3; gives the first output."""
        outputs = self._call("inference", inputs=[tensor], data_format=["nhwc"])
        if not outputs:
            raise self._refused("inference", "it gave nothing")
        scores: npt.NDArray[Any] = outputs[0]
        return scores

    def _step(self, step: str, **options: Any) -> None:
        with _complaints() as complaints:
            code = self._call(step, **options)
        if code != 0:
            reason = "; ".join(complaints) or "its messages above may tell why"
            raise self._refused(step, f"code {code}: {reason}")

    def _call(self, step: str, **options: Any) -> Any:
        with _stdout_to_stderr():
            try:
                result = getattr(self._rknn, step)(**options)
            except Exception as error:  # a ValueError, or whatever slips through the tool's net
                check_exit_requested()
                raise self._refused(step, _last_line(error)) from error
        check_exit_requested()
        return result

    def _refused(self, step: str, reason: str) -> ConversionError:
        return ConversionError(f"{self._model}: rknn-toolkit2 failed in {step}: {reason}")


def _vendor() -> tuple[Any, Any]:
    """The module onnx and the class RKNN."""
    try:
        with _stdout_to_stderr():
            import onnx
            from rknn.api import RKNN
    except ImportError as error:
        raise ConversionError(f"rknn-toolkit2 can't be imported ({error}); {SETUP}") from error
    return onnx, RKNN


def _image_input(model: Path, onnx: Any) -> ImageInput:
    try:
        graph = onnx.load(str(model), load_external_data=False).graph
    except OSError as error:
        raise ConversionError(f"{model}: can't be read: {error.strerror}") from error
    except Exception as error:  # protobuf's DecodeError, which is no business of ours
        raise ConversionError(f"{model}: not an ONNX model: {_last_line(error)}") from error
    weights = {weight.name for weight in graph.initializer}  # older exporters list them as inputs
    inputs = [each for each in graph.input if each.name not in weights]
    if len(inputs) != 1:
        names = ", ".join(each.name for each in inputs) or "none"
        raise ConversionError(f"{model}: its inputs are {names}; a model of one image is needed")
    return _checked(model, inputs[0])


def _checked(model: Path, described: Any) -> ImageInput:
    tensor = described.type.tensor_type
    dims = [dim.dim_value for dim in tensor.shape.dim]  # 0 where the model leaves one open
    takes = f"{model}: its input {described.name} is {' x '.join(str(d or '?') for d in dims)}"
    if tensor.elem_type != FLOAT:
        raise ConversionError(f"{takes}, not of float32; export the model with a float32 input")
    if len(dims) != 4 or dims[0] not in (0, 1) or dims[1] != CHANNELS:
        raise ConversionError(f"{takes}; one RGB image, 1 x 3 x height x width, is needed")
    if not all(dims[2:]):
        raise ConversionError(f"{takes}; export the model with a fixed height and width")
    return ImageInput(name=described.name, width=dims[3], height=dims[2], open_batch=not dims[0])


def _size(image: ImageInput) -> tuple[int, int]:
    return image.height, image.width


@contextmanager
def _stdout_to_stderr() -> Iterator[None]:
    """Send what is printed in the block to standard error, by Python or by C."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        ctypes.CDLL(None).fflush(None)  # C has a buffer of its own
        os.dup2(kept, 1)
        os.close(kept)


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """Collect the errors that the tool logs in the block."""
    heard: list[str] = []
    listener = logging.Handler(logging.ERROR)
    listener.emit = lambda record: heard.append(COLOUR.sub("", record.getMessage()))  # type: ignore[method-assign]
    logger = logging.getLogger(LOGGER)
    logger.addHandler(listener)
    try:
        yield heard
    finally:
        logger.removeHandler(listener)


def _last_line(error: Exception) -> str:
    lines = COLOUR.sub("", str(error)).strip().splitlines()
    return lines[-1].strip() if lines else type(error).__name__
