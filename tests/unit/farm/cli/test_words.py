"""Which words of a command line are its config, and which are images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from farm.cli import words
from farm.cli.words import default_config, load_config, split
from farm.hardware.platforms import Machine


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The current folder has a folder `photos` and a file `farm.yaml`; this is an rk3566."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "farm.yaml").write_text("platform: rk3588")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(words, "default_name", lambda: "rk3566")


@pytest.mark.parametrize(
    ("said", "config", "images"),
    [
        ((), "rk3566", ()),
        (("rk3588",), "rk3588", ()),
        (("farm.yaml",), "farm.yaml", ()),
        (("rk3588", "photos"), "rk3588", ("photos",)),
        (("farm.yaml", "a.jpg", "b.jpg"), "farm.yaml", ("a.jpg", "b.jpg")),
        (("photos",), "rk3566", ("photos",)),
        (("photos/", "a.jpg"), "rk3566", ("photos/", "a.jpg")),
        (("none/photo.JPEG",), "rk3566", ("none/photo.JPEG",)),
        (("list.txt",), "rk3566", ("list.txt",)),
        (("*.png",), "rk3566", ("*.png",)),
        (("-",), "rk3566", ("-",)),
        (("rk358",), "rk358", ()),  # find_config says that there is none
        (("net.onnx",), "net.onnx", ()),  # and that this is a model
    ],
)
def test_the_first_word_is_the_config_unless_it_is_images(
    said: tuple[str, ...], config: str, images: tuple[str, ...]
) -> None:
    assert split(said, {}) == (config, images)


def test_a_bundled_config_wins_over_a_folder_of_its_name() -> None:
    Path("host").mkdir()
    assert split(("host",), {}) == ("host", ())
    assert split(("./host",), {}) == ("rk3566", ("./host",))


@pytest.mark.parametrize(("platform", "name"), [("rk3588", "rk3588"), (None, "rk3566")])
def test_the_default_is_that_of_the_platform_or_of_the_machine(
    platform: str | None, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "farm")
    assert default_config({"platform": platform}) == name
    assert name in caplog.text


def test_a_config_that_lies_here_but_was_not_named_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "farm")
    default_config({})
    Path("farm.yaml").unlink()
    default_config({})
    assert ["farm.yaml" in record.getMessage() for record in caplog.records] == [True, False]


def test_a_bundled_config_with_another_model_has_none_of_its_labels() -> None:
    assert load_config("host", {}).labels is not None
    other = load_config("host", {"model": "net.onnx"})
    assert (other.labels, other.truth) == (None, None)
    named = load_config("host", {"model": "net.onnx", "labels": "names.txt"})
    assert named.labels == Path("names.txt")


def test_a_bundled_config_with_another_task_has_none_of_its_labels_either() -> None:
    other = load_config("host", {"task": "mine:f"})
    assert (other.labels, other.truth) == (None, None)
    assert load_config("host", {"task": "classify"}).labels is not None
    assert load_config("detect", {"task": "detect"}).labels is not None
    assert load_config("detect", {"model": "net.onnx"}).labels is None


def test_the_bundled_detector_is_for_every_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(soc="rk3566", cpus=(0,), capacities={})
    monkeypatch.setattr("farm.config.schema.detect", lambda: machine)
    assert load_config("detect", {}).platform == "rk3566"  # this machine's
    assert load_config("detect", {"platform": "rk3588"}).platform == "rk3588"


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ({"task": "detect"}, "detect"),
        ({"task": "detect", "platform": "rk3588"}, "detect"),
        ({"task": "detect", "model": "net.rknn"}, "rk3566"),
        ({"task": "mine:f"}, "rk3566"),
    ],
)
def test_who_asks_for_detection_alone_gets_the_bundled_detector(
    said: dict[str, Any], name: str
) -> None:
    assert default_config(said) == name


def test_a_platforms_config_with_detection_is_the_bundled_detectors() -> None:
    asked = load_config("rk3576", {"task": "detect"})
    assert (asked.platform, asked.model and asked.model.name) == ("rk3576", "scenes.onnx")
    assert load_config("rk3576", {"task": "detect", "model": "net.rknn"}).model == Path("net.rknn")


def test_options_of_a_bundled_config_are_not_those_of_another_task() -> None:
    assert load_config("detect", {}).task_options != {}
    own = {"task": "mine:f", "settings": {"task_options.above": 0.5}}
    assert load_config("detect", own).task_options == {"above": 0.5}
    assert load_config("detect", {"task": "classify"}).task_options == {}


def test_a_config_of_ones_own_keeps_its_labels_with_another_model() -> None:
    Path("farm.yaml").write_text("platform: host\nlabels: names.txt")
    assert load_config("farm.yaml", {"model": "net.onnx"}).labels == Path("names.txt")


def test_flags_and_settings_override_the_file() -> None:
    said: dict[str, Any] = {"size": 6, "cpu": None, "settings": {"simulated.seed": 3}}
    config = load_config("farm.yaml", said)
    assert (config.platform, config.size, config.cpu) == ("rk3588", 6, "fast")
    assert config.simulated.seed == 3
