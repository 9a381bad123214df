"""Which task a worker's spec names."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.support import worker_spec
from workers.tasks.classification import Classification
from workers.tasks.detection import Detection
from workers.tasks.own import OwnTask
from workers.tasks.registry import find_task
from workers.tasks.task import Model


def made(task: str, *shape: int) -> object:
    model = Model("net", (np.full(shape, 0.25, np.float32),), 320, 320)
    return find_task(worker_spec(task=task))(model)


def test_each_name_has_its_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine_here.py").write_text("def f(outputs, image): ...\n", encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    assert isinstance(made("classify", 1, 4), Classification)
    assert isinstance(made("detect", 1, 20, 6), Detection)
    assert isinstance(made("mine_here:f", 1, 20, 6), OwnTask)
