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
ONNX = Path("glyphs.onnx")
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
    names = {rknn_name(ONNX, soc.model_platform) for soc in SOCS.values()}
    assert {name for _, name in SUMS} == names
    assert {path.name for path in MODELS.glob("*.rknn")} == names


@pytest.mark.parametrize(("digest", "name"), SUMS)
def test_a_models_bytes_are_those_of_its_checksum(digest: str, name: str) -> None:
    assert hashlib.sha256((MODELS / name).read_bytes()).hexdigest() == digest


@pytest.mark.parametrize("platform", sorted({soc.model_platform for soc in SOCS.values()}))
def test_a_model_is_for_the_soc_in_its_name(platform: str) -> None:
    told = description(MODELS / rknn_name(ONNX, platform))
    assert told["target_platform"] == [platform]
    assert told["version"] == "2.5.0"
    image, scores = told["norm_tensor"]
    assert (image["size"], scores["size"]) == ([1, 3, 224, 224], [1, 36])
    assert {image["dtype"]["qnt_type"], scores["dtype"]["qnt_type"]} == {"int8"}


def test_the_model_card_has_the_sizes() -> None:
    card = (MODELS / "README.md").read_text()
    for path in MODELS.glob("*.rknn"):
        assert f"{path.stat().st_size:,}" in card
