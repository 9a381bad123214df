"""ONNX Runtime where it can't do what it is asked."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.helpers.onnx_models import INT64, RGB, write_plain
from tests.helpers.support import worker_spec
from workers.errors import RuntimeFailure
from workers.protocol.spec import WorkerSpec
from workers.runtimes.base import INSTALL_ONNX
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
    with pytest.raises(RuntimeFailure, match=re.escape(INSTALL_ONNX)):
        OnnxRuntime(spec(tmp_path / "any.onnx"))


@pytest.mark.parametrize("shape", [(1, 36), (36,), (1, 36, 1, 1), (1, 1, 1, 36)])
def test_a_classifiers_output_may_have_more_dimensions_of_one(
    tmp_path: Path, shape: tuple[int, ...]
) -> None:
    pytest.importorskip("onnxruntime")
    runtime = OnnxRuntime(spec(write_plain(tmp_path / "net.onnx", 36, "Softmax", shape=shape)))
    assert runtime.infer(np.zeros(RGB, np.float32)).shape == shape


UNFIT: dict[str, tuple[int, dict[str, Any], str]] = {
    "detector": (36, {"shape": (1, 4, 9)}, "its output is 1 x 4 x 9;"),
    "map": (36, {"shape": (1, 1, 6, 6)}, "its output is 1 x 1 x 6 x 6;"),
    "one sigmoid": (1, {}, "its output is 1 x 1, one score"),
    "argmax": (36, {"kind": INT64}, "tensor(int64)"),
    "grey": (36, {"image": (1, 1, 8, 8)}, "one channel; three (RGB) are needed"),
}


@pytest.mark.parametrize(("count", "options", "said"), UNFIT.values(), ids=UNFIT)
def test_a_model_that_is_no_classifier_of_images_is_refused(
    tmp_path: Path, count: int, options: dict[str, Any], said: str
) -> None:
    pytest.importorskip("onnxruntime")
    model = write_plain(tmp_path / "net.onnx", count, "Sigmoid", **options)
    with pytest.raises(RuntimeFailure, match=re.escape(said)):
        OnnxRuntime(spec(model))
