"""What every runtime must do, and what all of them check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from msgspec.structs import asdict, replace

from workers.errors import RuntimeFailure
from workers.protocol.spec import FLOAT32, NCHW, NHWC, UINT8, InputHint, InputSpec

if TYPE_CHECKING:  # the coordinator asks for names and shapes, and does without numpy
    import numpy.typing as npt

RKNN: Final = "rknn"
ONNX: Final = "onnx"
SIMULATED: Final = "simulated"
# For workers.shell.shell_command.
INSTALL_RKNN: Final = "pip install --upgrade rknn-toolkit-lite2 'setuptools<81'"
INSTALL_ONNX: Final = "pip install onnxruntime"
OLDER_PYTHON: Final = "make run PYTHON=python3.12"
NEWEST_RKNN_PYTHON: Final = (3, 12)  # of the wheels of rknn-toolkit-lite2 2.5.0
CHANNELS: Final = 3


class Runtime(Protocol):
    """One opened model on one NPU core (or CPU): used by one thread, closed by its opener."""

    @property
    def model(self) -> str:
        """The SHA-256 of each file that it has opened, joined by "+"; empty if there is none."""

    @property
    def input(self) -> InputSpec:
        """What `infer` takes."""

    def infer(self, tensor: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], ...]:
        """Run the model on one image: a tensor as `input` says in, all outputs out.

        Raises RuntimeFailure when the run fails; a failed run never returns outputs.
        """

    def close(self) -> None:
        """Free the runtime; may be called twice."""


def why_no_rknn(python: tuple[int, int]) -> tuple[str, str]:
    """Return why a Python of this version may lack rknn-toolkit-lite2, and a command that helps."""
    if python > NEWEST_RKNN_PYTHON:
        theirs, newest = (".".join(map(str, each)) for each in (python, NEWEST_RKNN_PYTHON))
        return f"has no package for Python {theirs}, only up to {newest}", OLDER_PYTHON
    return "is not installed", INSTALL_RKNN


def check_inputs(model: str, count: int) -> None:
    """Raise RuntimeFailure unless a model has one input."""
    if count != 1:
        raise RuntimeFailure(f"{model} has {count} inputs; a model with one, an image, is needed")


def input_from(dims: tuple[int | None, ...], dtype: str, hint: InputHint) -> InputSpec:
    """Join what a model says of its image input with what the config says.

    `dims` are the tensor's four dimensions, None where the model leaves one open. Raises
    RuntimeFailure if they are no single RGB image, contradict the config, or stay open.
    """
    if len(dims) != 4 or dims[0] not in (None, 1):
        raise RuntimeFailure(f"the model takes {list(dims)}; one image (1 x 3 channels) is needed")
    channels = {NHWC: dims[3], NCHW: dims[1]}
    known = [count for count in channels.values() if count is not None]
    if len(known) == len(channels) and CHANNELS not in known:
        count = min(known)  # the other is the height or the width
        said = "one channel" if count == 1 else f"{count} channels"
        raise RuntimeFailure(
            f"the model takes {list(dims)}: images of {said}; three (RGB) are needed, "
            "so export it for RGB images"
        )
    fits = [layout for layout, count in channels.items() if count == CHANNELS]
    layout = hint.layout or (fits[0] if len(fits) == 1 else None)
    if layout is None or channels[layout] not in (CHANNELS, None):
        problem = (
            f"config says {hint.layout}" if hint.layout else "set input.layout to NHWC or NCHW"
        )
        raise RuntimeFailure(f"the model takes {list(dims)}; {problem}")
    if dtype not in (UINT8, FLOAT32):
        raise RuntimeFailure(f"the model takes {dtype} input; {UINT8} or {FLOAT32} is needed")
    if hint.dtype not in (None, dtype):
        raise RuntimeFailure(f"input.dtype is {hint.dtype} in the config, the model takes {dtype}")
    if dtype == UINT8 and (any(hint.mean) or any(part != 1.0 for part in hint.std)):
        raise RuntimeFailure("input.mean and input.std need a model with float32 input")
    height, width = dims[1:3] if layout == NHWC else dims[2:4]
    agreed = InputSpec(
        width=_agreed("width", width, hint.width),
        height=_agreed("height", height, hint.height),
        layout=layout,
        dtype=dtype,
    )
    return from_hint(hint, agreed)


def _agreed(name: str, model: int | None, config: int | None) -> int:
    if model is None and config is None:
        raise RuntimeFailure(f"the model leaves its input {name} open; set input.{name}")
    if model is not None and config is not None and model != config:
        raise RuntimeFailure(f"input.{name} is {config} in the config, the model takes {model}")
    return model if model is not None else config  # type: ignore[return-value]


def from_hint(hint: InputHint, default: InputSpec) -> InputSpec:
    """Return what the config says of the input, and `default` where it says nothing."""
    known: dict[str, Any] = {key: said for key, said in asdict(hint).items() if said is not None}
    return replace(default, **known)


def tensor_shape(spec: InputSpec) -> tuple[int, int, int, int]:
    """Return the four dimensions of a tensor as `spec` says."""
    if spec.layout == NHWC:
        return 1, spec.height, spec.width, CHANNELS
    return 1, CHANNELS, spec.height, spec.width


def check_tensor(tensor: npt.NDArray[Any], spec: InputSpec) -> None:
    """Raise RuntimeFailure unless `tensor` is what `spec` says; runtimes do not check it."""
    shape = tensor_shape(spec)
    if tensor.shape != shape or tensor.dtype != spec.dtype:
        raise RuntimeFailure(
            f"input {list(tensor.shape)} {tensor.dtype} given, {list(shape)} {spec.dtype} needed"
        )
