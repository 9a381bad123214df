"""ONNX Runtime where it can't do what it is asked."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.helpers.support import worker_spec
from workers.errors import RuntimeFailure
from workers.protocol.spec import WorkerSpec
from workers.runtimes.onnx import OnnxRuntime


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
    with pytest.raises(RuntimeFailure, match=re.escape("pip install 'npu-farm[cpu]'")):
        OnnxRuntime(spec(tmp_path / "any.onnx"))
