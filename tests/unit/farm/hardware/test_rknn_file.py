"""What is read from a .rknn file; no content makes it raise."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farm.hardware.rknn_file import MAGIC, MOST_TEXT, RknnFile, describe
from tests.helpers.boards import rknn_bytes
from tests.helpers.support import ROOT, SHARED_DATA

GOOD = rknn_bytes({"target_platform": ["RK3588"], "version": "2.3.2"})


def written(folder: Path, content: bytes) -> Path:
    path = folder / "model.rknn"
    path.write_bytes(content)
    return path


def test_the_socs_and_the_toolkit_are_read(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    assert describe(path) == RknnFile(targets=("rk3588",), toolkit="2.3.2", size=len(GOOD))


@pytest.mark.parametrize("version", [None, 2, ["2.3.2"]])
def test_a_model_without_a_version_has_its_targets(tmp_path: Path, version: Any) -> None:
    found = describe(written(tmp_path, rknn_bytes({"target_platform": [], "version": version})))
    assert found is not None
    assert (found.targets, found.toolkit) == ((), None)


INVALID = {
    "empty": b"",
    "four bytes": b"RKNN",
    "simulated": b"simnpu us=5000 soc=rk3588\n",
    "encrypted": b"CRYPTRKN" + GOOD[8:],
    "cut in the text": GOOD[:-1],
    "cut after the header": GOOD[:64],
    "cut in the body": GOOD[:100],
    "endless body": MAGIC + struct.pack("<QQ", 6, 2**64 - 1).ljust(56, b"\0"),
    "one target": rknn_bytes({"target_platform": "rk3588"}),
    "targets of numbers": rknn_bytes({"target_platform": [3588]}),
    "a list": rknn_bytes(["rk3588"]),
    "no UTF-8": rknn_bytes(b"\xff\xfe{}"),
    "deep": rknn_bytes(b"[" * 100_000),
    "a long number": rknn_bytes(b"9" * 10_000),
}


@pytest.mark.parametrize("content", INVALID.values(), ids=INVALID)
def test_an_invalid_file_has_no_description(tmp_path: Path, content: bytes) -> None:
    assert describe(written(tmp_path, content)) is None


def test_a_text_that_is_too_long_is_not_read(tmp_path: Path) -> None:
    endless = GOOD[:164] + struct.pack("<Q", MOST_TEXT + 1)
    path = written(tmp_path, endless)
    os.truncate(path, len(endless) + MOST_TEXT + 1)
    assert describe(path) is None


def test_a_folder_a_pipe_and_a_missing_file_are_no_models(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert describe(tmp_path) is None
    assert describe(tmp_path / "pipe") is None
    assert describe(tmp_path / "missing") is None


def test_the_body_is_not_read(tmp_path: Path) -> None:
    body = 3 * 2**30  # sparse: it would not fit into a small machine's memory
    path = tmp_path / "big.rknn"
    with path.open("wb") as file:
        file.write((MAGIC + struct.pack("<QQ", 6, body)).ljust(64, b"\0"))
        file.seek(64 + body)
        file.write(GOOD[164:])
    found = describe(path)
    assert found is not None
    assert found.targets == ("rk3588",)


def graph(inputs: list[Any], outputs: list[Any]) -> dict[str, Any]:
    """The part of a description that has the shapes."""
    sides = ["input"] * len(inputs) + ["output"] * len(outputs)
    tensors = [{"tensor_id": n, "size": size} for n, size in enumerate([*inputs, *outputs])]
    ends = [{"left": side, "right_tensor_id": n} for n, side in enumerate(sides)]
    return {"target_platform": ["rk3588"], "norm_tensor": tensors, "graph": ends}


IMAGE = [1, 3, 224, 224]


@pytest.mark.parametrize("output", [[1, 1000], [1000], [1, 1000, 1, 1], [1, 1, 1, 1000]])
def test_the_shapes_of_a_classifier_are_read(tmp_path: Path, output: list[int]) -> None:
    path = written(tmp_path, rknn_bytes(graph([IMAGE], [output])))
    found = describe(path)
    assert found is not None
    assert (found.inputs, found.outputs) == ((tuple(IMAGE),), (tuple(output),))


@pytest.mark.parametrize(
    "change",
    [
        {"graph": None},
        {"graph": [7]},
        {"graph": [{"left": "input", "right_tensor_id": []}]},
        {"norm_tensor": [{"tensor_id": 0, "size": ["wide"]}]},
        {"norm_tensor": {}},
    ],
)
def test_a_graph_that_is_none_tells_no_shapes(tmp_path: Path, change: dict[str, Any]) -> None:
    path = written(tmp_path, rknn_bytes({**graph([IMAGE], [[1, 68, 18]]), **change}))
    found = describe(path)
    assert found is not None
    assert found.inputs == ()


@settings(deadline=None)  # a busy disk is no fault of the reader
@given(st.binary(max_size=300), st.integers(0, len(GOOD)), st.integers(0, len(GOOD)))
def test_no_bytes_raise(
    tmp_path_factory: pytest.TempPathFactory, junk: bytes, start: int, end: int
) -> None:
    folder = tmp_path_factory.getbasetemp()
    describe(written(folder, junk))
    describe(written(folder, MAGIC + junk))
    describe(written(folder, GOOD[:start] + junk + GOOD[end:]))


@pytest.mark.data
@pytest.mark.parametrize("soc", ["rk3566", "rk3588"])
def test_models_of_the_vendors_converter_have_a_description(soc: str) -> None:
    found = describe(SHARED_DATA / "models" / f"mobilenetv2-{soc}.rknn")
    assert found is not None
    assert found.targets == (soc,)
    assert found.toolkit == "2.3.2"
    assert (found.inputs, found.outputs) == (((1, 3, 224, 224),), ((1, 1000),))


@pytest.mark.data
def test_a_detector_of_the_vendors_converter_has_nine_outputs() -> None:
    found = describe(SHARED_DATA / "detect" / "lpd-yolov8n-rk3588.rknn")
    assert found is not None
    sides = [side for side in (80, 40, 20) for _ in range(3)]
    assert [each[2:] for each in found.outputs] == [(side, side) for side in sides]
    assert [each[1] for each in found.outputs] == [64, 1, 1] * 3


@pytest.mark.parametrize("soc", ["rk3562", "rk3566", "rk3576", "rk3588"])
def test_the_bundled_models_are_classifiers_by_their_files(soc: str) -> None:
    path = ROOT / "models" / f"glyphs-{soc}.rknn"
    found = describe(path)
    assert found is not None
    assert found.outputs == ((1, 36),)
