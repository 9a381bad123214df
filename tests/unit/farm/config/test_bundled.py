"""Bundled configs: found by name, never changed, copied to begin with."""

from __future__ import annotations

from pathlib import Path

import pytest

from farm.config import bundled
from farm.config.bundled import FOLDER, NAMES, SCHEMA_FILE, copy_config, default_name, find_config
from farm.config.loader import load
from farm.errors import ConfigError, OutputError
from farm.hardware.platforms import Machine


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The current folder is an empty one."""
    monkeypatch.chdir(tmp_path)


def test_every_name_is_a_file_and_every_file_has_a_name() -> None:
    assert sorted(FOLDER.glob("*.yaml")) == sorted(find_config(name) for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_its_model_and_labels_are_there_from_any_folder(name: str) -> None:
    config = load(find_config(name), {})
    assert config.platform == (name if name != "detect" else default_name())
    assert config.model is not None
    assert config.labels is not None
    assert config.model.is_file()
    assert config.labels.is_file()


@pytest.mark.parametrize(("soc", "name"), [("rk3582", "rk3582"), (None, "host")])
def test_the_default_is_this_machines(
    soc: str | None, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundled, "detect", lambda: Machine(soc=soc, cpus=(0,), capacities={}))
    assert default_name() == name


def test_a_name_wins_over_a_file_whose_path_has_a_slash(tmp_path: Path) -> None:
    Path("host").write_text("platform: rk3588")
    assert find_config("host") == FOLDER / "host.yaml"
    assert find_config("./host").resolve() == tmp_path / "host"
    assert find_config(tmp_path / "host") == tmp_path / "host"


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("rk358", "rk3588"),
        ("RK3588S", "rk3588"),
        ("hots", "host"),
        ("rk3576.yaml", "rk3576"),
        ("configs/rk3576.yaml", "rk3576"),
        ("rk3399", None),
        ("photos", None),
        ("farm.yaml", None),
    ],
)
def test_a_mistyped_name_is_answered_with_the_nearest_and_all(word: str, meant: str | None) -> None:
    with pytest.raises(ConfigError) as caught:
        find_config(word)
    first, second = str(caught.value).splitlines()
    assert first.startswith(f"{word}: no such file or folder")
    assert first.partition("did you mean ")[2] == (f"{meant}?" if meant else "")
    assert all(name in second for name in NAMES)


@pytest.mark.parametrize("model", ["net.onnx", "models/net-rk3588.rknn"])
def test_a_model_is_no_config(model: str) -> None:
    with pytest.raises(ConfigError, match=f"{model}: a model.* -m {model}"):
        find_config(model)


def test_a_folder_is_no_config(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a folder"):
        find_config(tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_a_copy_says_the_same_wherever_it_is(name: str, tmp_path: Path) -> None:
    copy = tmp_path / "deep" / "farm.yaml"
    copy.parent.mkdir()
    copy_config(name, copy)
    assert load(copy, {}) == load(find_config(name), {})
    assert copy.read_text().count("# ") == find_config(name).read_text().count("# ")


def test_a_copy_replaces_no_file(tmp_path: Path) -> None:
    mine = tmp_path / "farm.yaml"
    mine.write_text("mine")
    with pytest.raises(OutputError, match="-o "):
        copy_config("host", mine)
    assert mine.read_text() == "mine"


@pytest.mark.parametrize("name", ["host", "-", "farm.txt", "farm.jpg"])
def test_a_copy_has_a_name_that_a_run_takes_for_a_config(name: str, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"\.yaml"):
        copy_config("host", tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("word", "meant"), [("farm.yml", "farm.yaml"), ("rk358", "rk3588"), ("frm.yaml", "farm.yaml")]
)
def test_a_name_that_is_not_there_is_answered_with_the_nearest(
    word: str, meant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "farm.yaml").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=f"did you mean {meant}[?]"):
        find_config(word)
    with pytest.raises(ConfigError, match=f"did you mean {tmp_path}/farm.yaml[?]"):
        find_config(tmp_path / "farm.yml")


def test_a_copy_of_an_unknown_name_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="rk3588"):
        copy_config("rk358", tmp_path / "farm.yaml")
    assert list(tmp_path.iterdir()) == []


def test_a_copy_names_the_schema_where_it_is(tmp_path: Path) -> None:
    copy = tmp_path / "farm.yaml"
    copy_config("host", copy)
    assert f"$schema={SCHEMA_FILE.as_uri()}\n" in copy.read_text()
    assert SCHEMA_FILE.is_file()
