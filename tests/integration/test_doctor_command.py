"""`npu-farm doctor` as users run it on this machine, whatever it is."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from farm.hardware.platforms import detect
from tests.helpers.programs import HOST, missing, npu_farm


@pytest.fixture(autouse=True)
def on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shell finds `npu-farm`, so that commands stay as they are written."""
    folder = str(Path(sys.executable).parent)
    monkeypatch.setenv("PATH", folder + os.pathsep + os.environ["PATH"])


on_a_pc = pytest.mark.skipif(detect().soc is not None, reason="this is a board")


@on_a_pc
def test_a_pc_is_well_without_an_npu() -> None:
    done = npu_farm("doctor")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split()[:2] == ["ok", "SoC"]
    told = json.loads(npu_farm("doctor", "--json").stdout)
    assert told["overall"] == "ok"
    assert {check["status"] for check in told["checks"]} == {"ok"}


@on_a_pc
def test_a_boards_config_on_a_pc_is_a_warning() -> None:
    done = npu_farm("doctor", "configs/rk3588.yaml")
    assert done.returncode == 1
    assert "fix: npu-farm run configs/rk3588.yaml --runtime simulated" in done.stdout


def test_the_same_as_json(tmp_path: Path) -> None:
    done = npu_farm("doctor", HOST, "--json", "-m", str(tmp_path / "missing.onnx"))
    told = json.loads(done.stdout)
    assert (done.returncode, told["overall"]) == (2, "failure")
    (bad,) = [check for check in told["checks"] if check["status"] != "ok"]
    assert (bad["check"], bad["status"]) == ("model", "failure")
    assert f"{tmp_path}/missing.onnx" in bad["message"]
    assert bad["fix"] == f"npu-farm doctor {HOST} -m MODEL.onnx"


@pytest.mark.parametrize(
    ("arguments", "facts"),
    [(("no-such.yaml",), ("no-such.yaml",)), (("-m", "model.rknn"), ("config",))],
)
def test_a_users_mistake_is_exit_code_2_in_words(
    arguments: tuple[str, ...], facts: tuple[str, ...]
) -> None:
    done = npu_farm("doctor", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert missing(facts, done.stderr) == []
    assert "Traceback" not in done.stderr
