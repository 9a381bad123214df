"""Weights in files of their own: which, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.onnx_models import FLOAT, constant, field, write_plain
from workers.errors import RuntimeFailure
from workers.runtimes.external_weights import names_in, read


def test_a_model_with_its_weights_inside_names_none(tmp_path: Path) -> None:
    assert read(str(write_plain(tmp_path / "net.onnx", 36))) == {}


@pytest.mark.parametrize("name", ["w", "net.onnx.data", "größe", "w" * 127, "w" * 128, "w" * 255])
def test_a_file_is_read_whatever_its_name(tmp_path: Path, name: str) -> None:
    model = write_plain(tmp_path / "net.onnx", 36, outside=tmp_path / name)
    assert read(str(model)) == {name: (tmp_path / name).read_bytes()}


def test_a_file_of_many_tensors_comes_once(tmp_path: Path) -> None:
    tensors = [constant(name, FLOAT, (1,), (1.0,), tmp_path / "w") for name in "abc"]
    (tmp_path / "net.onnx").write_bytes(b"".join(field(5, each) for each in tensors))
    assert list(names_in((tmp_path / "net.onnx").read_bytes())) == ["w"] * 3
    assert list(read(str(tmp_path / "net.onnx"))) == ["w"]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    model = write_plain(tmp_path / "net.onnx", 36, outside=tmp_path / "net.data")
    (tmp_path / "net.data").unlink()
    with pytest.raises(RuntimeFailure, match=r"net\.data: .*: No such file"):
        read(str(model))


@pytest.mark.parametrize("name", ["/etc/passwd", "../w", "a/../../w"])
def test_no_file_outside_the_models_folder_is_read(tmp_path: Path, name: str) -> None:
    entry = field(13, field(1, "location") + field(2, name))
    (tmp_path / "net.onnx").write_bytes(entry)
    with pytest.raises(RuntimeFailure, match="not in the model's folder"):
        read(str(tmp_path / "net.onnx"))


def test_a_model_cut_in_a_name_is_left_to_the_runtime() -> None:
    assert list(names_in(b"\n\x08location\x12\x05ab")) == ["ab"]
