"""A model's file that changes while a farm runs: never answers of two models."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from farm.api import Farm
from farm.config.schema import FarmConfig
from farm.errors import NoWorkersError
from tests.helpers.onnx_models import write_model
from tests.helpers.programs import PROGRAM, Programs, missing
from tests.helpers.stage import process_of
from tests.helpers.support import PATIENCE, children_of, wait_for
from tests.helpers.told import Told

pytest.importorskip("onnxruntime")

ALWAYS_0, ALWAYS_1 = [[0.0, 0.0, 0.0, 5.0], [0.0] * 4], [[0.0] * 4, [0.0, 0.0, 0.0, 5.0]]
CHANGED = "net.onnx has changed since the farm started"


@pytest.fixture
def photo(tmp_path: Path) -> str:
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((8, 8, 3), 100, np.uint8))
    return str(tmp_path / "grey.png")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A link to a model that answers 0; beside it one that answers 1."""
    write_model(tmp_path / "v1", ALWAYS_0)
    write_model(tmp_path / "v2", ALWAYS_1)
    (tmp_path / "net.onnx").symlink_to("v1")
    return tmp_path / "net.onnx"


def copied_over(model: Path) -> None:
    """As `cp` does: it is the same inode."""
    model.write_bytes((model.parent / "v2").read_bytes())


def renamed_over(model: Path) -> None:
    (model.parent / "v2").rename(model)


def linked_elsewhere(model: Path) -> None:
    model.unlink()
    model.symlink_to("v2")


CHANGES = [copied_over, renamed_over, linked_elsewhere]


def answers(farm: Farm, photo: str) -> set[int]:
    """What some images are, as far as there are answers."""
    return {(result.top5 or ())[0].class_id for result in farm.classify([photo] * 8)}


@pytest.mark.parametrize("change", CHANGES)
def test_a_worker_that_finds_another_model_is_given_up_and_answers_nothing(
    model: Path, photo: str, run_dirs: Path, change: Callable[[Path], None]
) -> None:
    config = FarmConfig.model_validate({"platform": "host", "model": model, "size": 2})
    told = Told()
    with Farm(config, log=told) as farm:
        assert answers(farm, photo) == {0}
        change(model)
        os.kill(process_of(0), signal.SIGKILL)
        while not told.of("worker_start_failed", 0):
            assert answers(farm, photo) == {0}
        assert CHANGED in told.of("worker_start_failed", 0)[0]
        assert wait_for(lambda: len(children_of(os.getpid())) == 1)  # it has left
        assert answers(farm, photo) == {0}
        os.kill(process_of(1), signal.SIGKILL)
        with pytest.raises(NoWorkersError, match=CHANGED):
            answers(farm, photo)
    assert list(run_dirs.iterdir()) == []


def test_a_model_that_was_only_copied_again_is_the_same(
    model: Path, photo: str, tmp_path: Path
) -> None:
    config = FarmConfig.model_validate({"platform": "host", "model": model, "size": 1})
    told = Told()
    with Farm(config, log=told) as farm:
        (tmp_path / "again").write_bytes(model.read_bytes())
        (tmp_path / "again").rename(model)
        os.kill(process_of(0), signal.SIGKILL)
        while not told.of("worker_back", 0):
            assert all(result.error is None for result in farm.classify([photo]))


def test_a_run_ends_with_the_reason_and_keeps_its_results(
    model: Path, photo: str, tmp_path: Path, programs: Programs
) -> None:
    output = tmp_path / "r.jsonl"
    config = tmp_path / "host.yaml"
    config.write_text(f"platform: host\nsize: 1\nmodel: {model}\n")
    words = (*PROGRAM, str(config), "-d", "-", "-o", str(output))
    run = programs.start(*words, stdin=subprocess.PIPE)
    assert run.stdin is not None
    run.stdin.write(f"{photo}\n" * 4)
    run.stdin.flush()
    assert wait_for(lambda: output.exists() and output.read_text().count("\n") == 4)
    copied_over(model)
    (worker,) = children_of(run.pid)
    os.kill(worker, signal.SIGKILL)
    _, said = run.communicate(f"{photo}\n" * 4, timeout=PATIENCE)
    assert run.returncode == 3
    assert missing((CHANGED, "restart the farm"), said) == []
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    assert [row["top5"][0]["class"] for row in rows] == [0] * 4
