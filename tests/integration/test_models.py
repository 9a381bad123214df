"""The table of models in docs/reliability.md, row by row; one rule for all images of a model."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from farm.api import Farm
from farm.config.schema import FarmConfig
from tests.helpers.onnx_models import INT64, write_model, write_plain, write_two_outputs
from tests.helpers.programs import HOST, command
from tests.helpers.support import ROOT

TABLE = (ROOT / "docs" / "reliability.md").read_text().partition("## Models")[2].split("\n## ")[0]
ROWS = {
    given: (seen, int(code))
    for given, seen, code in re.findall(r"^\| (.+) \| (.+) \| (\d) \|$", TABLE, re.M)
}
MODELS: dict[str, Callable[[Path], Path]] = {
    "scores that are logits": lambda path: write_plain(path, 36),
    "scores after a softmax": lambda path: write_plain(path, 36, "Softmax"),
    "a sigmoid for each class": lambda path: write_plain(path, 36, "Sigmoid"),
    "scores as 1 x n x 1 x 1": lambda path: write_plain(path, 36, shape=(1, 36, 1, 1)),
    "a detector": lambda path: write_plain(path, 36, shape=(1, 4, 9)),
    "a map of scores": lambda path: write_plain(path, 36, shape=(1, 1, 6, 6)),
    "a single score": lambda path: write_plain(path, 1, "Sigmoid"),
    "two outputs": write_two_outputs,
    "class numbers instead of scores": lambda path: write_plain(path, 36, kind=INT64),
    "scores that are not finite": lambda path: write_plain(path, 36, "Sqrt"),
    "grey images as its input": lambda path: write_plain(path, 36, image=(1, 1, 8, 8)),
    "eight images as its input": lambda path: write_plain(
        path, 36, image=(8, 3, 8, 8), shape=(8, 36)
    ),
    "scores of classes, with task `detect`": lambda path: write_plain(path, 36),
    "another number of classes than labels": lambda path: write_plain(path, 35),
}
pytest.importorskip("onnxruntime")


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    """Two plain images: the first without red, the second white."""
    colours = {"cyan.png": (255, 255, 0), "white.png": (255, 255, 255)}  # BGR
    for name, colour in colours.items():
        cv2.imwrite(str(tmp_path / name), np.full((8, 8, 3), colour, np.uint8))
    return [tmp_path / name for name in colours]


def test_every_row_has_its_model() -> None:
    assert list(ROWS) == list(MODELS)


@pytest.mark.parametrize("given", MODELS)
def test_a_model_is_used_or_refused_as_the_table_says(
    given: str, tmp_path: Path, photos: list[Path]
) -> None:
    seen, code = ROWS[given]
    model, output = MODELS[given](tmp_path / "net.onnx"), tmp_path / "out.jsonl"
    words = ["-s", "1", "-m", str(model), "-o", str(output), "-d", str(photos[0])]
    if "`detect`" in given:
        words += ["--task", "detect", "--set", "truth=null"]
    done = command(HOST, *words)
    assert done.returncode == code
    if code:
        assert seen.strip("`").replace("MODEL", str(model)) in done.stderr
        return
    (line,) = output.read_text().splitlines()
    result = json.loads(line)
    assert all(0 <= best["score"] <= 1 for best in result["top5"])


def score_of_class_0(photo: Path, model: Path, output: str) -> float:
    values = {"platform": "host", "model": model, "size": 1, "output": output}
    with Farm(FarmConfig.model_validate(values)) as farm:
        (result,) = farm.classify([photo])
    return next(p.score for p in result.top5 or () if p.class_id == 0)


@pytest.mark.parametrize("output", ["auto", "none"])
def test_a_sigmoid_is_read_alike_on_every_photo_whatever_the_sum(
    tmp_path: Path, photos: list[Path], output: str
) -> None:
    """On the first photo the thousand add up to 2, on the second to 123."""
    rows = [[0.0, 6 / 255, 0.0, -3.0], *[[5 / 255, 0.0, 0.0, -7.0]] * 999]
    model = write_model(tmp_path / "net.onnx", rows, "Sigmoid")
    scores = [score_of_class_0(photo, model, output) for photo in photos]
    assert scores == pytest.approx([1 / (1 + np.exp(-3.0))] * 2, rel=1e-5)


def test_an_output_of_softmax_applies_one_always(tmp_path: Path, photos: list[Path]) -> None:
    rows = [[1 / 255, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.5]]
    model = write_model(tmp_path / "net.onnx", rows)
    scores = [score_of_class_0(photo, model, "softmax") for photo in photos]
    expected = [1 / (1 + np.exp(0.5 - logit)) for logit in (0.0, 1.0)]
    assert scores == pytest.approx(expected, rel=1e-5)


def test_logits_that_looked_like_probabilities_are_an_error_never_a_wrong_score(
    tmp_path: Path, photos: list[Path]
) -> None:
    """Of the self-test's image the means are about 127; red makes the logits -0.5 to 1.5."""
    rows = [[2 / 255, 0.0, 0.0, -0.5], [-2 / 255, 0.0, 0.0, 1.5]]
    model = write_model(tmp_path / "net.onnx", rows)
    with Farm(FarmConfig.model_validate({"platform": "host", "model": model, "size": 1})) as farm:
        errors = [result.error for result in farm.classify(photos)]
    assert [error.kind if error else None for error in errors] == ["bad_output"] * 2
    assert all("output: softmax" in error.message for error in errors if error)
