"""What a benchmark says it has measured: facts of the model's file and of the config."""

from __future__ import annotations

from pathlib import Path

import pytest

from farm.bench.subject import subject
from farm.config.loader import validate
from farm.hardware.platforms import Machine
from farm.scheduler.placement import plan
from workers.errors import RuntimeFailure


def test_it_has_the_models_digest_and_size_the_images_the_config_and_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "a.onnx"
    model.write_bytes(b"a model")
    monkeypatch.setattr("sys.argv", ["/usr/bin/npu-farm", "bench", "a b/"])
    config = validate({"platform": "host", "model": str(model), "batch": 3})
    planned = plan(config, Machine(soc=None, cpus=(0, 1), capacities={}), "/run")
    found = subject(config, planned, ("a b/",), name="host", digest="0123")
    assert (found.model, found.model_bytes) == (str(model), 7)
    assert (found.model_sha256, found.config_name) == ("0123", "host")
    assert (found.images, found.command) == (("a b/",), "npu-farm bench 'a b/'")
    assert found.config["batch"] == 3
    assert not {"model", "images", "size"} & set(found.config)


def test_a_simulated_npu_has_no_model() -> None:
    config = validate({"platform": "rk3588", "runtime": "simulated"})
    planned = plan(config, Machine(soc=None, cpus=(0, 1), capacities={}), "/run")
    found = subject(config, planned, (), name="rk3588", digest="")
    assert (found.model, found.model_sha256, found.model_bytes) == ("", "", 0)


def test_a_model_that_is_gone_is_said(tmp_path: Path) -> None:
    config = validate({"platform": "host", "model": str(tmp_path / "gone.onnx")})
    planned = plan(config, Machine(soc=None, cpus=(0, 1), capacities={}), "/run")
    with pytest.raises(RuntimeFailure, match=r"gone\.onnx: cannot read the model: "):
        subject(config, planned, (), name="host", digest="0123")


@pytest.mark.parametrize(
    ("task", "reading", "said"),
    [
        ("classify", "SOFTMAX", ""),
        ("detect", "yolov5", "detect, outputs read as yolov5"),
        ("mine:f", "", "mine:f"),
    ],
)
def test_the_task_is_said_and_how_a_detector_is_read(task: str, reading: str, said: str) -> None:
    config = validate({"platform": "host", "runtime": "simulated", "task": task})
    planned = plan(config, Machine(soc=None, cpus=(0, 1), capacities={}), "/run")
    assert subject(config, planned, (), name="host", digest="", reading=reading).task == said
