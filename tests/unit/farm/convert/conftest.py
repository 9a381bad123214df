"""The fake tool in place of the real one, a model and photos to convert."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from farm.convert.convert import Conversion
from tests.helpers.rknn_toolkit import Vendor, install


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Vendor:
    return install(monkeypatch)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "models" / "net.onnx"
    path.parent.mkdir()
    path.write_bytes(b"onnx")
    return path


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (3, 9, 12, 3), np.uint8)
    for number, picture in enumerate(noise):
        cv2.imwrite(str(folder / f"{number}.png"), picture)
    return folder


Job = Callable[..., Conversion]


@pytest.fixture
def job(model: Path, photos: Path) -> Job:
    def made(**changes: Any) -> Conversion:
        flags = {"model": model, "platform": "rk3588", "calibrate": str(photos), **changes}
        return Conversion.from_flags(flags)

    return made
