"""A farm without the library that resizes gives the same results, to the last bit."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.helpers.programs import run
from tests.helpers.support import ROOT
from workers.images.area import LIBRARY

SIZES = ((225, 225), (500, 375), (333, 500), (1000, 301), (640, 480), (100, 700), (448, 448))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Pictures that are reduced, enlarged, and reduced by whole numbers to 224 x 224."""
    folder, draw = tmp_path / "photos", np.random.default_rng(0)
    folder.mkdir()
    for width, height in SIZES:
        small = draw.integers(0, 256, (height // 8, width // 8, 3), np.uint8)
        picture = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(folder / f"{width}x{height}.jpg"), picture)
        cv2.imwrite(str(folder / f"{width}x{height}.png"), picture)
    return folder


def results(home: Path, photos: Path, output: Path) -> dict[str, Any]:
    """What the packages in `home` answer; the simulated NPU's scores depend on every pixel."""
    words = ["configs/rk3588.yaml", "--runtime", "simulated", "-c", "all", "-q", "-o", str(output)]
    done = run(sys.executable, "-m", "farm.coordinator", *words, str(photos), cwd=home)
    assert done.returncode == 0, done.stderr
    lines = map(json.loads, output.read_text(encoding="utf-8").splitlines())
    return {line["path"]: line["top5"] for line in lines}


@pytest.mark.skipif(not LIBRARY.exists(), reason="there was no C compiler")
def test_results_are_the_same_with_and_without_the_library(photos: Path, tmp_path: Path) -> None:
    without = tmp_path / "without"
    for name in ("farm", "workers", "configs", "models"):
        ignore = shutil.ignore_patterns(LIBRARY.name, "__pycache__")
        shutil.copytree(ROOT / name, without / name, symlinks=True, ignore=ignore)
    with_it = results(ROOT, photos, tmp_path / "with.jsonl")
    assert len(with_it) == 2 * len(SIZES)
    assert results(without, photos, tmp_path / "without.jsonl") == with_it
