"""The bundled sample images: made once, and used only where nothing else is named."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from farm.config.schema import FarmConfig
from farm.sources import sample_images
from farm.sources.sample_images import choose_targets, default_samples


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(sample_images, "COUNT", 3)
    monkeypatch.setattr(sample_images, "SCENES", 2)
    return tmp_path


@pytest.mark.parametrize(("scenes", "count"), [(False, 3), (True, 2)])
def test_they_are_rendered_once_and_again_when_some_are_missing(
    cache: Path, caplog: pytest.LogCaptureFixture, scenes: bool, count: int
) -> None:
    caplog.set_level(logging.INFO, "farm")
    folder = default_samples(scenes=scenes)
    made = sorted(folder.iterdir())
    assert folder.is_relative_to(cache)
    assert len(list(folder.glob("*.jpg"))) == count
    assert {each.suffix for each in folder.iterdir()} == {".jpg"}
    assert default_samples(scenes=scenes) == folder
    assert len(caplog.records) == 1
    made[1].unlink()
    default_samples(scenes=scenes)
    assert sorted(folder.iterdir()) == made
    assert len(caplog.records) == 2


def test_the_command_line_wins_over_the_config_and_that_over_the_samples(
    cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bare, named = FarmConfig(platform="host"), FarmConfig(platform="host", images="photos")
    assert choose_targets(named, ("a.jpg", "b")) == ("a.jpg", "b")
    assert choose_targets(named, ()) == ("photos",)
    assert caplog.records == []
    caplog.set_level(logging.INFO, "farm")
    (folder,) = choose_targets(bare, ())
    assert Path(folder).is_relative_to(cache)
    assert folder in caplog.text


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize(
    ("task", "names"), [("classify", "glyph-*.jpg"), ("detect", "scene-*.jpg")]
)
def test_a_detector_gets_scenes(task: str, names: str) -> None:
    (folder,) = choose_targets(FarmConfig(platform="host", task=task), ())
    found = list(Path(folder).glob("*.jpg"))
    assert found == list(Path(folder).glob(names)) != []
