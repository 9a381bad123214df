"""What a farm is given as it starts: a config's limits, and the machine's where it says none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from farm.config.schema import FarmConfig
from farm.coordinator import startup as start
from farm.coordinator.limits import Limits
from farm.coordinator.run_dir import RunDir
from farm.errors import ConfigError, FarmError, StartError
from farm.system.log import SILENT
from tests.helpers.boards import rknn_bytes
from tests.helpers.support import simulated
from workers.environment import WORKER
from workers.shell import shell_command

MACHINE_MB = 16384


class Noted:
    """A coordinator that only notes what it is given, and starts nobody."""

    def __init__(self, _specs: object, run_dir: RunDir, limits: Limits, _tell: object) -> None:
        self.limits = limits
        run_dir.remove()


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine has MACHINE_MB of memory."""
    monkeypatch.setattr("farm.system.memory.total_mb", lambda: MACHINE_MB)
    monkeypatch.setattr(start, "Coordinator", Noted)


def limits(**changes: Any) -> Limits:
    _, coordinator, _ = start.prepare(simulated(**changes), SILENT)
    assert isinstance(coordinator, Noted)
    return coordinator.limits


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize(("size", "share"), [(1, 8192), (3, 4096), (15, 1024)])
def test_each_worker_may_have_as_much_memory_as_the_others_and_the_coordinator(
    size: int, share: int
) -> None:
    assert limits(size=size).worker_mb == share


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("said", [1, 250, 2 * MACHINE_MB])
def test_a_worker_may_have_the_memory_that_the_config_says(said: int) -> None:
    assert limits(max_worker_mb=said).worker_mb == said


def refused_model(kind: type[FarmError] = ConfigError, **changes: Any) -> str:
    values = {"platform": "rk3588", "runtime": "rknn", "cpu": "all", **changes}
    with pytest.raises(kind) as caught:
        start.prepare(FarmConfig.model_validate(values), SILENT)
    return str(caught.value)


@pytest.mark.parametrize("platform", ["rk3588", "rk3566"])
def test_an_onnx_model_that_was_not_converted_names_the_command(
    tmp_path: Path, platform: str
) -> None:
    model = tmp_path / "my net.onnx"
    model.write_bytes(b"onnx")
    said = refused_model(model=model, platform=platform)
    converted = tmp_path / f"my net-{platform}.rknn"
    assert said.startswith(f"model: {converted}: no such file")
    command = f"npu-farm convert '{model}' --platform {platform} --calibrate IMAGES"
    assert said.endswith(f" {shell_command(command)}")


def test_an_rknn_model_that_is_missing_is_not_to_be_converted(tmp_path: Path) -> None:
    model = tmp_path / "net.rknn"
    assert refused_model(model=model) == f"model: {model}: no such file"


def test_an_rknn_model_that_is_no_classifier_is_refused_before_any_worker(tmp_path: Path) -> None:
    model = tmp_path / "net.rknn"
    sizes = {"input": [1, 3, 8, 8], "output": [1, 68, 18]}
    says = {
        "target_platform": ["rk3588"],
        "norm_tensor": [{"tensor_id": side, "size": size} for side, size in sizes.items()],
        "graph": [{"left": side, "right_tensor_id": side} for side in sizes],
    }
    model.write_bytes(rknn_bytes(says))
    said = refused_model(StartError, model=model)
    assert said.startswith(f"model: {model}: its output is 1 x 68 x 18; ")


def test_the_host_has_no_npu_to_convert_a_model_for(tmp_path: Path) -> None:
    model = tmp_path / "net.onnx"
    model.write_bytes(b"onnx")
    said = refused_model(model=model, platform="host")
    assert said.startswith("runtime: rknn: ")
    assert "convert" not in said


@pytest.mark.usefixtures("machine")
def test_a_worker_starts_no_farm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WORKER, "worker 3")
    with pytest.raises(StartError, match="worker 3 of a farm can't start a farm"):
        limits()
