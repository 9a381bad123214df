"""Files that are no model are named as what they are; models never are."""

from __future__ import annotations

import io
import os
import pickle
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farm.hardware.model_file import KINDS as NAMED
from farm.hardware.model_file import no_model
from tests.helpers.boards import rknn_bytes
from tests.helpers.support import ROOT, SHARED_DATA
from workers.runtimes.base import ONNX, RKNN, SIMULATED

GLYPHS = (ROOT / "models" / "glyphs.onnx").read_bytes()
GOOD_RKNN = rknn_bytes({"target_platform": ["rk3588"]}, b"\7" * 1000)


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("net/data.pkl", b"x")
    return file.getvalue()


KINDS = {  # what the message names
    "Git LFS": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    "git-annex": b"/annex/objects/SHA256E-s14--0\n",
    "git-annex pointer": b"../.git/annex/objects/X/SHA256E-s14--0",
    "web page": b"<!DOCTYPE html>\n<html>",
    "a web page": b"\xef\xbb\xbf\r\n  <HTML lang=en>",
    "web page, not": b"<!-- saved -->\n<html>",
    "server": b"404: Not Found",
    "OpenVINO": b'<?xml version="1.0"?>\n<net name="net" version="11">',
    "PyTorch or Keras": zipped(),
    "pickle": pickle.dumps({"weights": [1]}),
    "TensorFlow Lite": b"\x1c\0\0\0TFL3" + bytes(100),
    "HDF5": b"\x89HDF\r\n\x1a\n" + bytes(100),
    "GGUF": b"GGUF\3\0\0\0" + bytes(100),
    "ncnn": b"7767517\n75 83\n",
    "safetensors": struct.pack("<Q", 60) + b'{"__metadata__":{}}',
    "gzip": b"\x1f\x8b\x08\0" + bytes(100),
    "image": b"\xff\xd8\xff\xe0" + bytes(100),
    "PDF": b"%PDF-1.7\n",
    "program": b"\x7fELF\2\1\1" + bytes(100),
    "empty": b"",
    "zeros": bytes(100_000),
}


def written(folder: Path, content: bytes) -> Path:
    path = folder / "model"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("runtime", [ONNX, RKNN])
@pytest.mark.parametrize("name", KINDS)
def test_what_is_no_model_is_named_for_every_runtime(
    tmp_path: Path, name: str, runtime: str
) -> None:
    found = no_model(written(tmp_path, KINDS[name]), runtime)
    assert found is not None
    assert name in found.what
    assert found.fix


def test_a_pointer_of_git_lfs_has_its_command(tmp_path: Path) -> None:
    found = no_model(written(tmp_path, KINDS["Git LFS"]), ONNX)
    assert found is not None
    assert found.fix == "git lfs pull"


def test_a_model_of_the_other_runtime_under_a_wrong_name(tmp_path: Path) -> None:
    onnx, rknn = tmp_path / "net.rknn", tmp_path / "net.onnx"
    onnx.write_bytes(GLYPHS)
    rknn.write_bytes(GOOD_RKNN)
    as_rknn, as_onnx = no_model(onnx, RKNN), no_model(rknn, ONNX)
    assert as_rknn is not None
    assert as_onnx is not None
    assert "npu-farm convert" in as_rknn.fix
    assert "needs an NPU" in as_onnx.what


@pytest.mark.parametrize(("content", "runtime"), [(GLYPHS, ONNX), (GOOD_RKNN, RKNN)])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_model_is_named(
    tmp_path: Path, content: bytes, runtime: str, share: float
) -> None:
    found = no_model(written(tmp_path, content[: int(len(content) * share)]), runtime)
    assert found is not None
    assert "truncated" in found.what


@pytest.mark.parametrize(
    ("content", "runtime"),
    [
        (GLYPHS, ONNX),
        (GOOD_RKNN, RKNN),
        (b"CRYPTRKN" + GOOD_RKNN[8:], RKNN),
        (b"rubbish", ONNX),  # the runtime says what it thinks of these
        (b"simnpu us=5000", RKNN),
        (b"\x08", ONNX),
        (b"\x08\x07" * 500, ONNX),
        (b"\x08" + b"\xff" * 100, ONNX),
        (KINDS["Git LFS"], SIMULATED),  # it opens no model
        # Older versions of the header may have other sizes.
        (b"RKNN\0\0\0\0" + struct.pack("<QQ", 1, 2**40).ljust(56, b"\0"), RKNN),
    ],
)
def test_what_may_be_a_model_is_left_to_the_runtime(
    tmp_path: Path, content: bytes, runtime: str
) -> None:
    assert no_model(written(tmp_path, content), runtime) is None


@pytest.mark.parametrize("path", sorted((ROOT / "models").glob("*.*n*x")), ids=lambda p: p.name)
def test_the_bundled_onnx_models_are_models(path: Path) -> None:
    assert no_model(path, ONNX) is None


@pytest.mark.parametrize("path", sorted((ROOT / "models").glob("*.rknn")), ids=lambda p: p.name)
def test_the_bundled_rknn_models_are_models(path: Path) -> None:
    assert no_model(path, RKNN) is None


def test_a_missing_file_a_pipe_and_a_folder_are_no_matter_of_content(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert no_model(tmp_path / "pipe", ONNX) is None
    assert no_model(tmp_path / "gone", ONNX) is None
    assert no_model(tmp_path, ONNX) is None


def test_the_weights_are_not_read(tmp_path: Path) -> None:
    weights = 3 * 2**30  # sparse: it would not fit into a small machine's memory
    head = b"\x08\x07\x3a" + b"\x80\x80\x80\x80\x0c"  # field 7, the graph, of 3 GB
    path = written(tmp_path, head)
    with path.open("r+b") as file:
        file.truncate(len(head) + weights)
    assert no_model(path, ONNX) is None
    with path.open("r+b") as file:
        file.truncate(len(head) + weights - 1)
    assert no_model(path, ONNX) is not None


def test_the_table_of_files_that_are_no_model_is_whole() -> None:
    text = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    table = text.partition("## Files that are no model\n")[2].partition("\n## ")[0]
    rows = [f"| {what} | `{fix.replace('|', chr(92) + '|')}` |" for _, what, fix in NAMED]
    assert [row for row in rows if row not in table] == []


@settings(deadline=None)  # a busy disk is no fault of the reader
@given(st.binary(max_size=300))
def test_no_bytes_raise(tmp_path_factory: pytest.TempPathFactory, junk: bytes) -> None:
    folder = tmp_path_factory.getbasetemp()
    for start in (b"", b"\x08", b"\x08\x07\x3a", b"RKNN\0\0\0\0"):
        for runtime in (ONNX, RKNN):
            no_model(written(folder, start + junk), runtime)


@pytest.mark.data
@pytest.mark.parametrize("pattern", ["models/*.*n*", "detect/*.*nn*"])
def test_real_models_are_models(pattern: str) -> None:
    paths = [p for p in SHARED_DATA.glob(pattern) if p.suffix in (".onnx", ".rknn")]
    assert paths
    assert [p for p in paths if no_model(p, ONNX if p.suffix == ".onnx" else RKNN)] == []
