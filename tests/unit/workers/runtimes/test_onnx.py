"""ONNX Runtime where it can't do what it is asked."""

from __future__ import annotations

import re
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.helpers.onnx_models import RGB, STRING, write_plain
from tests.helpers.support import ROOT, worker_spec
from workers.errors import RuntimeFailure
from workers.protocol.spec import WorkerSpec
from workers.runtimes import onnx
from workers.runtimes.base import INSTALL_ONNX, tensor_shape
from workers.runtimes.onnx import OnnxRuntime
from workers.shell import shell_command

GLYPHS = ROOT / "models" / "glyphs.onnx"


def spec(model: Path) -> WorkerSpec:
    return worker_spec(runtime="onnx", model=str(model))


@pytest.mark.parametrize("content", [b"", b"not a model", b"RKNN\0\0\0\0", b"\x08\x07" * 500])
def test_a_file_that_is_no_onnx_model_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    pytest.importorskip("onnxruntime")
    model = tmp_path / "rubbish.onnx"
    model.write_bytes(content)
    with pytest.raises(RuntimeFailure, match=re.escape(str(model))):
        OnnxRuntime(spec(model))


def test_a_missing_model_is_refused_by_name(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    model = tmp_path / "gone.onnx"
    with pytest.raises(RuntimeFailure, match=re.escape(str(model))):
        OnnxRuntime(spec(model))


def test_a_folder_is_no_model(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    with pytest.raises(RuntimeFailure, match=re.escape(str(tmp_path))):
        OnnxRuntime(spec(tmp_path))


def test_without_onnx_runtime_the_reason_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(RuntimeFailure, match=re.escape(shell_command(INSTALL_ONNX))):
        OnnxRuntime(spec(tmp_path / "any.onnx"))


@pytest.mark.parametrize("shape", [(1, 36), (36,), (1, 36, 1, 1), (1, 1, 1, 36)])
def test_an_output_has_the_models_shape(tmp_path: Path, shape: tuple[int, ...]) -> None:
    pytest.importorskip("onnxruntime")
    runtime = OnnxRuntime(spec(write_plain(tmp_path / "net.onnx", 36, "Softmax", shape=shape)))
    assert runtime.infer(np.zeros(RGB, np.float32))[0].shape == shape


UNFIT: dict[str, tuple[int, dict[str, Any], str]] = {
    "names": (36, {"kind": STRING}, "tensor(string)"),
    "grey": (36, {"image": (1, 1, 8, 8)}, "one channel; three (RGB) are needed"),
}


@pytest.mark.parametrize(("count", "options", "said"), UNFIT.values(), ids=UNFIT)
def test_a_model_of_other_images_or_without_numbers_is_refused(
    tmp_path: Path, count: int, options: dict[str, Any], said: str
) -> None:
    pytest.importorskip("onnxruntime")
    model = write_plain(tmp_path / "net.onnx", count, "Sigmoid", **options)
    with pytest.raises(RuntimeFailure, match=re.escape(said)):
        OnnxRuntime(spec(model))


def test_the_model_is_known_by_its_digest(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    model = write_plain(tmp_path / "net.onnx", 36)
    assert OnnxRuntime(spec(model)).model == sha256(model.read_bytes()).hexdigest()


def test_so_are_its_weights_in_another_file(tmp_path: Path) -> None:
    ort = pytest.importorskip("onnxruntime")
    if not hasattr(ort.SessionOptions, onnx.WEIGHTS_IN_MEMORY):
        pytest.skip("this ONNX Runtime can't take weights from memory")
    model, weights = write_plain(tmp_path / "net.onnx", 36, outside=tmp_path / "w"), tmp_path / "w"
    runtime = OnnxRuntime(spec(model))
    digests = [sha256(file.read_bytes()).hexdigest() for file in (model, weights)]
    assert runtime.model == "+".join(digests)
    image = np.full(RGB, 100, np.float32)
    inside = OnnxRuntime(spec(write_plain(tmp_path / "one.onnx", 36)))
    assert runtime.infer(image)[0].tolist() == inside.infer(image)[0].tolist()


def test_a_model_that_runs_is_not_changed_by_who_writes_to_its_weights(tmp_path: Path) -> None:
    ort = pytest.importorskip("onnxruntime")
    if not hasattr(ort.SessionOptions, onnx.WEIGHTS_IN_MEMORY):
        pytest.skip("this ONNX Runtime can't take weights from memory")
    model, weights = tmp_path / "glyphs.onnx", tmp_path / "w"
    moving = ort.SessionOptions()
    moving.optimized_model_filepath = str(model)
    moving.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    moving.add_session_config_entry(
        "session.optimized_model_external_initializers_file_name", weights.name
    )
    ort.InferenceSession(str(GLYPHS), moving, providers=["CPUExecutionProvider"])
    runtime = OnnxRuntime(spec(model))
    image = np.full(tensor_shape(runtime.input), 100, runtime.input.dtype)
    before = runtime.infer(image)[0].tolist()
    with weights.open("r+b") as file:
        file.write(bytes(weights.stat().st_size))
    assert (
        runtime.infer(image)[0].tolist()
        == before
        == OnnxRuntime(spec(GLYPHS)).infer(image)[0].tolist()
    )


def test_an_onnx_runtime_that_would_map_the_weights_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnxruntime")
    monkeypatch.setattr(onnx, "WEIGHTS_IN_MEMORY", "unknown_to_older_ones")
    OnnxRuntime(spec(write_plain(tmp_path / "one.onnx", 36)))
    with pytest.raises(RuntimeFailure, match=r"its weights are in w, .*onnx\.save"):
        OnnxRuntime(spec(write_plain(tmp_path / "net.onnx", 36, outside=tmp_path / "w")))


def test_a_model_that_changes_as_it_is_opened_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ort = pytest.importorskip("onnxruntime")
    model, open_session = write_plain(tmp_path / "net.onnx", 36), ort.InferenceSession

    def change(*args: Any, **options: Any) -> Any:
        session = open_session(*args, **options)
        write_plain(model, 35)
        return session

    monkeypatch.setattr(ort, "InferenceSession", change)
    with pytest.raises(RuntimeFailure, match=r"net\.onnx was changed while it was opened"):
        OnnxRuntime(spec(model))
