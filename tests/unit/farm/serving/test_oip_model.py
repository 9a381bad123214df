"""What clients are told of a model is what it answers with."""

from __future__ import annotations

import pytest

from farm.serving.oip_model import Model
from tests.helpers.results import BUS, TENCH, classified, detected, result

TASKS = {
    "classify": classified(TENCH),
    "detect": detected(BUS),
    "my.module:task": result(output=1),
}


@pytest.mark.parametrize("task", TASKS)
def test_the_outputs_have_the_shapes_that_metadata_tell(task: str) -> None:
    model = Model("m", task, "onnx")
    told = model.metadata()["outputs"]
    assert [each["name"] for each in told] == [each.name for each in model.outputs]
    for each, output in zip(told, model.outputs, strict=True):
        tensor = output.tensor([TASKS[task]])
        assert tensor.datatype == each["datatype"]
        assert len(tensor.shape) == len(each["shape"])
        assert all(
            size in (-1, found) for size, found in zip(each["shape"], tensor.shape, strict=True)
        )


def test_a_config_of_triton_s_tells_the_same() -> None:
    model = Model("m", "detect", "rknn")
    metadata, config = model.metadata(), model.config()
    assert metadata["platform"] == config["platform"] == "rockchip_rknn"
    for told, same in (("inputs", "input"), ("outputs", "output")):
        assert [(each["name"], each["shape"]) for each in metadata[told]] == [
            (each["name"], each["dims"]) for each in config[same]
        ]
    types = {each["data_type"] for each in (*config["input"], *config["output"])}
    assert types == {"TYPE_STRING", "TYPE_UINT8", "TYPE_FP32", "TYPE_INT64"}
    assert all(each["optional"] for each in config["input"])


@pytest.mark.parametrize(
    ("runtime", "platform"), [("onnx", "onnxruntime_onnx"), ("simulated", "npu-farm_simulated")]
)
def test_the_platform_says_what_runs_it(runtime: str, platform: str) -> None:
    assert Model("m", "classify", runtime).platform == platform
