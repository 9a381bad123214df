"""Rockchip's PC tool, rknn-toolkit2; the only file that imports it, and the onnx it works with.

The tool prints on standard output. A step that fails either raises a ValueError whose text is a
whole traceback, or returns a code and logs the reason.
"""

from __future__ import annotations

import ctypes
import logging
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy.typing as npt

from farm.errors import ConversionError
from farm.system.signals import check_exit_requested
from workers.shell import shell_command
from workers.tasks.detect_families import readings

FLOAT: Final = 1  # TensorProto.FLOAT in onnx.proto
FLOATS: Final = (FLOAT, 10)  # and FLOAT16
CHANNELS: Final = 3
IN_PIXELS: Final = ("raw_v5", "raw_v8")  # families with boxes in pixels and scores in one output
LOGGER: Final = "rknnLogger"
COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")
SETUP: Final = (
    "models are converted on an x86-64 PC, not on the board, with build/convert/bin/npu-farm in a "
    "clone of the project; this sets it up:\n  "
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

    @classmethod
    def read(cls, model: Path, onnx: Any) -> ImageInput:
        """Read a model's input; raise ConversionError for one that can't be INT8."""
        try:
            graph = onnx.load(str(model), load_external_data=False).graph
        except OSError as error:
            raise ConversionError(f"{model}: can't be read: {error.strerror}") from error
        except Exception as error:  # protobuf's DecodeError, a package that is not ours to import
            raise ConversionError(f"{model}: not an ONNX model: {_last_line(error)}") from error
        weights = {weight.name for weight in graph.initializer}  # old exporters list them as inputs
        inputs = [each for each in graph.input if each.name not in weights]
        if len(inputs) != 1:
            names = ", ".join(each.name for each in inputs) or "none"
            raise ConversionError(
                f"{model}: its inputs are {names}; a model with one image as its input is needed"
            )
        image = cls.from_value_info(model, inputs[0])
        check_outputs(model, graph.output, (image.width, image.height))
        return image

    @classmethod
    def from_value_info(cls, model: Path, info: Any) -> ImageInput:
        """Return the image that an ONNX ValueInfoProto describes; raise ConversionError."""
        tensor = info.type.tensor_type
        dims = _dims(info)
        found = f"{model}: its input {info.name} is {' x '.join(str(d or '?') for d in dims)}"
        if tensor.elem_type != FLOAT:
            raise ConversionError(f"{found}, not of float32; export the model with a float32 input")
        if len(dims) != 4 or dims[0] not in (0, 1) or dims[1] != CHANNELS:
            raise ConversionError(f"{found}; one RGB image, 1 x 3 x height x width, is needed")
        if not all(dims[2:]):
            raise ConversionError(f"{found}; export the model with a fixed height and width")
        return cls(name=info.name, width=dims[3], height=dims[2], open_batch=not dims[0])


def check_outputs(model: Path, outputs: Sequence[Any], size: tuple[int, int]) -> None:
    """Raise ConversionError unless ONNX ValueInfoProtos are outputs of floats that INT8 can hold.

    `size` is width and height of the model's input.
    """
    for output in outputs:
        if output.type.tensor_type.elem_type not in FLOATS:
            raise ConversionError(
                f"{model}: its output {output.name} is not of floats; export the model without it"
            )
    # Where the number of images is open, it is converted for one.
    shapes = [tuple(length or 1 for length in _dims(output)) for output in outputs]
    if len(shapes) == 1 and any(each.family in IN_PIXELS for each in readings(shapes, size)):
        raise ConversionError(
            f"{model}: its output {outputs[0].name} has a detector's boxes in pixels beside its "
            "scores: INT8 has one scale for both, with which all scores become 0; export it as the "
            "vendor's model zoo does (https://github.com/airockchip/rknn_model_zoo)"
        )


def _dims(info: Any) -> list[int]:
    """Return the shape in an ONNX ValueInfoProto, 0 where the model leaves a dimension open."""
    return [dim.dim_value for dim in info.type.tensor_type.shape.dim]


class Toolkit:
    """The vendor's tool with one model in it: loaded, quantized, then exported or simulated.

    Used in a `with` block. Raises ConversionError if the tool is not installed, and from every
    step that fails, with the vendor's reason.
    """

    def __init__(self, model: Path) -> None:
        self._model = model
        try:
            with _stdout_to_stderr():
                import onnx
                from rknn.api import RKNN
        except ImportError as error:
            setup = SETUP + shell_command("make converter")
            raise ConversionError(f"rknn-toolkit2 can't be imported ({error}); {setup}") from error
        self._onnx = onnx
        with _stdout_to_stderr():
            self._rknn = RKNN()

    def __enter__(self) -> Toolkit:
        return self

    def __exit__(self, *_: object) -> None:
        with _stdout_to_stderr():
            self._rknn.release()

    def load(self, platform: str, mean: Triple, std: Triple) -> ImageInput:
        """Load the model for the SoC `platform`; (value - mean) / std becomes part of it."""
        image = ImageInput.read(self._model, self._onnx)
        self._step(
            "config",
            target_platform=platform,
            mean_values=[list(mean)],
            std_values=[list(std)],
        )
        # Names and sizes only where they are needed: the tool warns of them otherwise.
        dims = [1, CHANNELS, image.height, image.width]
        shape = {"inputs": [image.name], "input_size_list": [dims]}
        self._step("load_onnx", model=str(self._model), **(shape if image.open_batch else {}))
        return image

    def quantize(self, dataset: Path) -> None:
        """Quantize to INT8; `dataset` lists .npy files beside it: uint8 RGB, 1 x 3 x H x W."""
        self._step("build", do_quantization=True, dataset=str(dataset))

    def export(self, path: Path) -> None:
        """Write the .rknn file."""
        self._step("export_rknn", export_path=str(path))

    def simulate(self) -> None:
        """Start the vendor's simulator of the quantized model, for `infer`."""
        self._step("init_runtime")

    def infer(self, tensor: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
        """Run the simulator on one uint8 image, 1 x H x W x 3; return all outputs."""
        outputs: list[npt.NDArray[Any]] | None = self._call(
            "inference", inputs=[tensor], data_format=["nhwc"]
        )
        if not outputs:
            raise self._failure("inference", "it returned nothing")
        return outputs

    def _step(self, step: str, **options: Any) -> None:
        reasons: list[str] = []
        listener = logging.Handler(logging.ERROR)
        listener.emit = lambda record: reasons.append(COLOUR.sub("", record.getMessage()))  # type: ignore[method-assign]
        logger = logging.getLogger(LOGGER)
        logger.addHandler(listener)
        try:
            code = self._call(step, **options)
        finally:
            logger.removeHandler(listener)
        if code != 0:
            reason = "; ".join(reasons) or "see its messages above"
            raise self._failure(step, f"code {code}: {reason}")

    def _call(self, step: str, **options: Any) -> Any:
        with _stdout_to_stderr():
            try:
                result = getattr(self._rknn, step)(**options)
            except Exception as error:  # a ValueError, or what the tool does not catch
                check_exit_requested()
                raise self._failure(step, _last_line(error)) from error
        check_exit_requested()
        return result

    def _failure(self, step: str, reason: str) -> ConversionError:
        return ConversionError(f"{self._model}: rknn-toolkit2 failed in {step}: {reason}")


@contextmanager
def _stdout_to_stderr() -> Iterator[None]:
    """Redirect what the block prints, by Python or by C, to standard error."""
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


def _last_line(error: Exception) -> str:
    lines = COLOUR.sub("", str(error)).strip().splitlines()
    return lines[-1].strip() if lines else type(error).__name__
