"""What the Open Inference Protocol tells of the server and its model; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from farm.serving.oip_outputs import BYTES, FP32, INT64, Output, outputs_of

VERSION: Final = "1"  # a farm has one version of one model
EXTENSIONS: Final = ("binary_tensor_data", "classification", "model_configuration")
UINT8: Final = "UINT8"
IMAGES: Final = "images"
PIXELS: Final = "pixels"
# Of these a request has one.
INPUTS: Final[dict[str, tuple[str, tuple[int, ...]]]] = {
    IMAGES: (BYTES, (-1,)),
    PIXELS: (UINT8, (-1, -1, -1, 3)),
}
PLATFORMS: Final = {"rknn": "rockchip_rknn", "onnx": "onnxruntime_onnx"}
CONFIG_TYPES: Final = {BYTES: "TYPE_STRING", FP32: "TYPE_FP32", INT64: "TYPE_INT64"}


@dataclass(frozen=True, slots=True)
class Model:
    """The model that a farm serves: its name, what it makes of images, what runs it."""

    name: str
    task: str
    runtime: str

    @property
    def outputs(self) -> tuple[Output, ...]:
        """The tensors that it answers with."""
        return outputs_of(self.task)

    @property
    def platform(self) -> str:
        """What runs it, in the protocol's words: project_format."""
        return PLATFORMS.get(self.runtime, f"npu-farm_{self.runtime}")

    def metadata(self) -> dict[str, Any]:
        """Return its name, versions, inputs and outputs."""
        inputs = [
            {"name": name, "datatype": datatype, "shape": shape}
            for name, (datatype, shape) in INPUTS.items()
        ]
        outputs = [
            {"name": each.name, "datatype": each.datatype, "shape": each.shape}
            for each in self.outputs
        ]
        return {
            "name": self.name,
            "versions": [VERSION],
            "platform": self.platform,
            "inputs": inputs,
            "outputs": outputs,
        }

    def config(self) -> dict[str, Any]:
        """Return the same as a model configuration of Triton's."""
        inputs = [
            {
                "name": name,
                "data_type": CONFIG_TYPES.get(datatype, f"TYPE_{datatype}"),
                "dims": shape,
                "optional": True,
            }
            for name, (datatype, shape) in INPUTS.items()
        ]
        outputs = [
            {"name": each.name, "data_type": CONFIG_TYPES[each.datatype], "dims": each.shape}
            for each in self.outputs
        ]
        return {
            "name": self.name,
            "platform": self.platform,
            "max_batch_size": 0,  # no dimension of the shapes is left out
            "input": inputs,
            "output": outputs,
        }
