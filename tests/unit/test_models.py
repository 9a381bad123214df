"""The models that are kept here: whole, and each for the SoC in its name."""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path
from typing import Any

import pytest

from farm.hardware.platforms import SOCS
from farm.hardware.rknn_file import rknn_name
from tests.helpers.support import ROOT

MODELS = ROOT / "models"
SUMS = [line.split("  ") for line in (MODELS / "SHA256SUMS").read_text().splitlines()]
CARDS = {Path("glyphs.onnx"): "README.md", Path("scenes.onnx"): "scenes.md"}
PLATFORMS = sorted({soc.model_platform for soc in SOCS.values()})
CELLS = (40, 20, 10)  # of a side, at the strides of 8, 16 and 32
TENSORS = {
    "glyphs.onnx": [[1, 3, 224, 224], [1, 36]],
    "scenes.onnx": [
        [1, 3, 320, 320],
        *([1, planes, cells, cells] for cells in CELLS for planes in (64, 36, 1)),
    ],
}
HEADER_BYTES = 64


def description(path: Path) -> Any:
    """The JSON that ends a .rknn file; its length stands before it, that of the body at 16."""
    data = path.read_bytes()
    assert data.startswith(b"RKNN\0\0\0\0")
    (body,) = struct.unpack_from("<Q", data, 16)
    start = HEADER_BYTES + body + 8
    (length,) = struct.unpack_from("<Q", data, start - 8)
    assert start + length == len(data)
    return json.loads(data[start:])


def test_there_is_a_model_for_every_soc() -> None:
    names = {rknn_name(model, platform) for model in CARDS for platform in PLATFORMS}
    assert {name for _, name in SUMS} == names
    assert {path.name for path in MODELS.glob("*.rknn")} == names


@pytest.mark.parametrize(("digest", "name"), SUMS)
def test_a_models_bytes_are_those_of_its_checksum(digest: str, name: str) -> None:
    assert hashlib.sha256((MODELS / name).read_bytes()).hexdigest() == digest


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("model", CARDS, ids=str)
def test_a_model_is_for_the_soc_in_its_name(model: Path, platform: str) -> None:
    told = description(MODELS / rknn_name(model, platform))
    assert told["target_platform"] == [platform]
    assert told["version"] == "2.5.0"
    assert [each["size"] for each in told["norm_tensor"]] == TENSORS[model.name]
    assert {each["dtype"]["qnt_type"] for each in told["norm_tensor"]} == {"int8"}


@pytest.mark.parametrize(("model", "card"), CARDS.items(), ids=str)
def test_a_model_card_has_the_sizes_and_the_sum_of_its_model(model: Path, card: str) -> None:
    told = (MODELS / card).read_text()
    names = (model.name, *(rknn_name(model, platform) for platform in PLATFORMS))
    assert [n for n in names if f"{(MODELS / n).stat().st_size:,}" not in told] == []
    assert hashlib.sha256((MODELS / model).read_bytes()).hexdigest() in told
