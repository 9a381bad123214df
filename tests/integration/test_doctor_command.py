"""`npu-farm doctor` as users run it on this machine, whatever it is."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from farm.hardware.platforms import detect
from tests.helpers.onnx_models import IR_VERSION, OPSET, RGB, field, node, tensor, write_plain
from tests.helpers.programs import HOST, missing, npu_farm
from tests.helpers.support import ROOT


@pytest.fixture(autouse=True)
def on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shell finds `npu-farm`, so that commands stay as they are written."""
    folder = str(Path(sys.executable).parent)
    monkeypatch.setenv("PATH", folder + os.pathsep + os.environ["PATH"])


BAD = {"warning", "failure"}
on_a_pc = pytest.mark.skipif(detect().soc is not None, reason="this is a board")


@on_a_pc
def test_a_pc_is_well_without_an_npu() -> None:
    done = npu_farm("doctor")
    assert (done.returncode, done.stderr) == (0, "")
    versions, soc = done.stdout.splitlines()[:2]
    assert missing(("versions", "Python", "npu-farm", "numpy"), versions) == []
    assert soc.split()[:3] == ["not", "here", "SoC"]
    told = json.loads(npu_farm("doctor", "--json").stdout)
    assert told["overall"] == "ok"
    assert {check["status"] for check in told["checks"]} == {"ok", "not here"}


@on_a_pc
def test_a_boards_config_on_a_pc_is_well_and_told() -> None:
    done = npu_farm("doctor", "rk3588", "--json")
    told = {check["check"]: check["status"] for check in json.loads(done.stdout)["checks"]}
    assert (done.returncode, told["config"], told["inference"]) == (0, "not here", "ok")


def test_the_same_as_json(tmp_path: Path) -> None:
    done = npu_farm("doctor", HOST, "--json", "-m", str(tmp_path / "missing.onnx"))
    told = json.loads(done.stdout)
    assert (done.returncode, told["overall"]) == (2, "failure")
    (bad,) = [check for check in told["checks"] if check["status"] in BAD]
    assert (bad["check"], bad["status"]) == ("model", "failure")
    assert f"{tmp_path}/missing.onnx" in bad["message"]
    assert bad["fix"] == f"npu-farm doctor {HOST} -m MODEL.onnx"
    assert told["command"] == f"npu-farm doctor {HOST} --json -m {tmp_path}/missing.onnx"
    assert (told["config"]["model"], told["config"]["batch"]) == (f"{tmp_path}/missing.onnx", 8)


def two_inputs() -> bytes:
    """A model that adds two images."""
    inputs = b"".join(field(11, tensor(name, RGB)) for name in "ab")
    graph = field(1, node("Add", "ab", "c")) + field(2, "g") + inputs + field(12, tensor("c", RGB))
    return field(1, IR_VERSION) + field(7, graph) + field(8, field(2, OPSET))


GLYPHS = (ROOT / "models" / "glyphs.onnx").read_bytes()
DETECTOR = b"written by the test"
NO_MODELS = {  # some of all kinds: content, which check fails, what its message has, and its fix
    "a pointer": (b"version https://git-lfs.github.com/spec/v1\n", "model", "LFS", "git lfs pull"),
    "cut": (GLYPHS[:-1000], "model", "truncated", "downloading"),
    "no kind that is known": (b"rubbish", "inference", "ONNX Runtime", "another model"),
    "detector": (DETECTOR, "inference", "1 x 4 x 9", "another model"),
    "two inputs": (two_inputs(), "inference", "2 inputs", "another model"),
}


@pytest.mark.parametrize("name", NO_MODELS)
def test_a_file_that_is_no_classifier_is_a_failure_and_named(tmp_path: Path, name: str) -> None:
    content, check, part, fix = NO_MODELS[name]
    model = tmp_path / "net.onnx"
    if content is DETECTOR:
        write_plain(model, 36, shape=(1, 4, 9))
    else:
        model.write_bytes(content)
    done = npu_farm("doctor", HOST, "--json", "-m", str(model))
    told = json.loads(done.stdout)
    (bad,) = [each for each in told["checks"] if each["status"] in BAD]
    assert (done.returncode, bad["check"], bad["status"]) == (2, check, "failure")
    assert part in bad["message"]
    assert fix in bad["fix"]


def test_a_good_model_is_run_once() -> None:
    checks = json.loads(npu_farm("doctor", HOST, "--json").stdout)["checks"]
    assert (checks[-1]["check"], checks[-1]["status"]) == ("inference", "ok")


@pytest.mark.parametrize("name", ["a pointer", "cut"])
def test_a_run_names_it_before_it_starts_a_worker(tmp_path: Path, name: str) -> None:
    content, _, part, _ = NO_MODELS[name]
    model = tmp_path / "net.onnx"
    model.write_bytes(content)
    labels = str(ROOT / "models" / "glyphs.labels.txt")
    done = npu_farm("run", HOST, "-m", str(model), "--labels", labels, "-d", str(model))
    assert done.returncode == 2
    assert missing(("net.onnx", part, "try:\n  "), done.stderr) == []


@on_a_pc
def test_a_pc_is_not_advised_to_lend_a_container_what_it_lacks() -> None:
    done = npu_farm("doctor", "configs/rk3588.yaml", "--runtime", "rknn")
    assert done.returncode == 2
    assert "docker" not in done.stdout
    assert "mount" not in done.stdout


@pytest.mark.parametrize("word", ["no-such.yaml", "photo.jpg", "tests", "net.onnx"])
def test_a_users_mistake_is_exit_code_2_in_words(word: str) -> None:
    done = npu_farm("doctor", word)
    assert (done.returncode, done.stdout) == (2, "")
    assert word in done.stderr
    assert "Traceback" not in done.stderr


@on_a_pc
def test_flags_without_a_config_change_the_machines_own() -> None:
    done = npu_farm("doctor", "-m", str(ROOT / "models" / "glyphs.onnx"), "--json")
    assert "host" in done.stderr
    assert json.loads(done.stdout)["checks"][-1]["check"] == "inference"


def test_labels_that_are_not_the_models_are_a_failure(tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("a\nb\n")
    checks = json.loads(npu_farm("doctor", HOST, "--json", "--labels", str(labels)).stdout)[
        "checks"
    ]
    (bad,) = [each for each in checks if each["status"] in BAD]
    assert bad["check"] == "labels"
    assert missing((str(labels), "2 labels", "36 classes"), bad["message"]) == []
