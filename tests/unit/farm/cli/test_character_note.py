"""The bundled models, which read characters, and pictures that are no sample images."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from farm.cli.character_note import with_note
from farm.results.result import Prediction, Result, Timings
from farm.results.stats import PHASES
from farm.sources.renders import write_renders
from farm.sources.scenes import write_scenes
from workers.protocol.messages import ItemError

GLYPHS = Path("/somewhere/glyphs.onnx")
SAMPLE = "/renders/glyph-0007-000000_A.jpg"


def answer(path: str | None, **changes: Any) -> Result:
    return Result(
        **{
            "id": 0,
            "path": path,
            "top5": (Prediction(0, "A", 1.0),),
            "error": None,
            "worker": 0,
            "attempts": 1,
            "ms": Timings(**dict.fromkeys(PHASES, 1.0)),
            "simulated": False,
            **changes,
        }
    )


def noted_before(
    results: list[Result], model: Path | None, caplog: pytest.LogCaptureFixture
) -> list[int]:
    """The places of the results before which a note was told."""
    places: list[int] = []
    noted = with_note(results, model)
    for place, expected in enumerate(results):
        assert next(noted) is expected
        places += [place] * len(caplog.records)
        caplog.clear()
    assert next(noted, None) is None
    return places


def test_the_first_answer_to_another_picture_is_told_and_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    results = [answer(path) for path in (SAMPLE, SAMPLE, "/photos/cat.jpg", SAMPLE, "/dog.jpg")]
    assert noted_before(results, GLYPHS, caplog) == [2]
    assert noted_before([answer(None)], GLYPHS, caplog) == [0]


@pytest.mark.parametrize(
    "name", ["glyphs-rk3588.rknn", "scenes-rk3562.rknn", "glyphs.onnx", "scenes.onnx"]
)
def test_a_bundled_model_is_known_for_every_soc_wherever_it_lies(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert noted_before([answer("/cat.jpg")], Path("/copied", name), caplog) == [0]


@pytest.mark.parametrize("model", [None, Path("/models/net.onnx"), Path("/glyphs/net.rknn")])
def test_other_models_are_not_judged(model: Path | None, caplog: pytest.LogCaptureFixture) -> None:
    assert noted_before([answer("/cat.jpg")], model, caplog) == []


def test_a_detectors_answer_is_one_even_if_it_found_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    nothing = answer("/cat.jpg", top5=None, objects=(), size=(5, 5))
    assert noted_before([nothing], Path("scenes.onnx"), caplog) == [0]
    assert "photos-model" not in caplog.text  # which is a classifier


def test_what_has_no_real_answer_is_no_reason(caplog: pytest.LogCaptureFixture) -> None:
    failed = answer("/cat.jpg", top5=None, error=ItemError("empty", "no bytes in it"))
    assert noted_before([failed, answer("/cat.jpg", simulated=True)], GLYPHS, caplog) == []


def test_sample_images_are_known_by_the_names_they_are_drawn_under(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "farm")
    drawn = write_renders(tmp_path, count=36, seed=12345)
    drawn += write_scenes(tmp_path, count=2, seed=12345)
    assert noted_before([answer(str(path)) for path in drawn], GLYPHS, caplog) == []
