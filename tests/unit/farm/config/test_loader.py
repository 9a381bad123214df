"""Config files: reading them, paths and overrides in them, what is refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from farm.config.expected import expected
from farm.config.loader import MOST_MISTAKES, load, read, validate
from farm.config.schema import FarmConfig
from farm.config.yaml_text import Place
from farm.errors import ConfigError
from farm.hardware.platforms import HOST, SOCS, Machine, detect
from tests.helpers.support import ROOT

CONFIGS = ROOT / "configs"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "farm.yaml"


def loaded(file: Path, text: str, **overrides: Any) -> FarmConfig:
    file.write_text(text, encoding="utf-8")
    return load(file, overrides)


def on(platform: str, *lines: str) -> str:
    return "\n".join([f"platform: {platform}", *lines])


def refusal(file: Path, text: str | bytes, **overrides: Any) -> str:
    """Return the message about a file: its name first, which is left out."""
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ConfigError) as caught:
        load(file, overrides)
    said = str(caught.value)
    assert said.startswith(f"{file}")
    return said.removeprefix(f"{file}")


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.name)
def test_every_shipped_config_loads(path: Path) -> None:
    config, detects = load(path, {}), path.stem == "detect"
    assert config.platform == ((detect().soc or HOST) if detects else path.stem)
    assert config.model == CONFIGS.parent / "models" / ("scenes.onnx" if detects else "glyphs.onnx")
    assert config.task == ("detect" if detects else "classify")
    assert config.labels == CONFIGS.parent / "models" / "glyphs.labels.txt"


def test_there_is_a_config_for_every_platform_and_one_for_all() -> None:
    assert {path.stem for path in CONFIGS.glob("*.yaml")} == {*SOCS, HOST, "detect"}


def test_a_wrong_option_is_blamed_on_the_override_that_has_it(file: Path) -> None:
    file.write_text("platform: host\ntask: detect\ntask_options: {score: 0.5}\n")
    with pytest.raises(ConfigError) as caught:
        load(file, {"task_options.score": 50}, "--set {}".format)
    assert str(caught.value).startswith("--set task_options.score")


@pytest.mark.parametrize(("soc", "name"), [("rk3576", "rk3576"), (None, "host")])
def test_the_platform_auto_is_this_machines(
    file: Path, monkeypatch: pytest.MonkeyPatch, soc: str | None, name: str
) -> None:
    machine = Machine(soc=soc, cpus=(0,), capacities={})
    monkeypatch.setattr("farm.config.schema.detect", lambda: machine)
    assert loaded(file, on("auto")).platform == name


def test_the_platform_alone_is_enough(file: Path) -> None:
    assert loaded(file, on("rk3588")) == FarmConfig(platform="rk3588")


@pytest.mark.parametrize(
    "text",
    [
        "a: [",
        "a: b: c",
        "- platform\nsize: 3",
        "a: \x00",
        "\tplatform: rk3588",
        "platform: rk3588\n? [1]\n: 2",
        b"platform: \xff\xfe",
    ],
    ids=lambda text: repr(text[:20]),
)
def test_a_file_that_is_not_yaml_is_refused(file: Path, text: str | bytes) -> None:
    refusal(file, text)


@pytest.mark.parametrize("text", ["- platform: rk3588", "rk3588", "3", ""])
def test_a_file_without_keys_is_refused(file: Path, text: str) -> None:
    assert "key: value" in refusal(file, text)


def test_a_yaml_error_names_its_line_and_column(file: Path) -> None:
    assert refusal(file, on("rk3588", "size: 3", "batch: [4")).startswith(":3:8: ")


def test_a_mistake_names_its_line_and_column(file: Path) -> None:
    assert refusal(file, on("rk3588", "", "size: 0")).startswith(":3:1: size: 0: ")
    assert refusal(file, on("rk3588", "sizee: 0")).startswith(":2:1: sizee: ")
    inner = refusal(file, on("rk3588", "input:", "  width: 4", "  height: x"))
    assert inner.startswith(":4:3: input.height: x: ")
    assert refusal(file, on("rk3588", "input: {width: 4, hight: 2}")).startswith(":2:19: input.h")
    assert refusal(file, on("rk3588", "simulated:", "  3: 4")).startswith(":3:3: 3: ")
    assert refusal(file, "size: 3\n").startswith(": platform: missing")


def test_all_mistakes_of_a_file_are_told_in_its_order(file: Path) -> None:
    text = on("rk3588", "bogus: 1", "size: 4", "size: 5", "on: 1", "input:", "  std: x", "batch: x")
    first, *lines = refusal(file, text).splitlines()
    assert first == ": 6 mistakes"
    assert [line.removeprefix(f"{file}:").partition(" ")[0] for line in lines] == [
        "2:1:", "4:1:", "4:1:", "5:1:", "7:3:", "8:1:",
    ]  # fmt: skip


def test_of_very_many_mistakes_the_rest_is_counted(file: Path) -> None:
    lines = refusal(file, on("host", *(f"no{number}: 3" for number in range(50)))).splitlines()
    assert len(lines) == MOST_MISTAKES + 2
    assert lines[0] == ": 50 mistakes"
    assert str(50 - MOST_MISTAKES) in lines[-1]


@pytest.mark.parametrize("name", ["gone.yaml", "gone/farm.yaml", "."])
def test_a_file_that_can_not_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / name, {})
    assert str(caught.value).startswith(f"{tmp_path / name}: ")


def test_relative_paths_are_taken_from_the_files_folder(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    text = on("host", "model: m/a.onnx", "labels: ../l.txt", "images: photos/*.jpg")
    config = loaded(file, text)
    assert config.model == file.parent / "m" / "a.onnx"
    assert config.labels == file.parent.parent / "l.txt"
    assert config.images == f"{file.parent}/photos/*.jpg"


def test_absolute_paths_and_standard_input_stay_as_they_are(file: Path) -> None:
    config = loaded(file, on("host", "model: /m/a.onnx", "images: '-'"))
    assert (config.model, config.images) == (Path("/m/a.onnx"), "-")


def test_overrides_win_and_their_paths_stay_as_they_are(file: Path) -> None:
    text = on("rk3588", "size: 3", "model: a.onnx")
    config = loaded(file, text, size=6, model="b.onnx", platform="rk3582")
    assert (config.size, config.model, config.platform) == (6, Path("b.onnx"), "rk3582")


def test_an_override_replaces_an_invalid_value(file: Path) -> None:
    assert loaded(file, on("rk9999", "size: x"), platform="rk3576", size=2).size == 2


def test_a_dotted_override_changes_one_nested_key(file: Path) -> None:
    text = on("rk3588", "simulated: {seed: 5, classes: 10}")
    config = loaded(file, text, **{"simulated.service_ms": 2.5, "input.width": 96})
    assert (config.simulated.seed, config.simulated.classes) == (5, 10)
    assert config.simulated.service_ms == 2.5
    assert config.input.width == 96


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ({"size": 4}, "--size: 4: "),
        ({"input.widht": 3}, "--input.widht: unknown key; did you mean input.width?"),
        ({"cpu": "medium"}, "--cpu: medium: "),
        ({"cup": 3}, "--cup: unknown key; did you mean cpu?"),
        ({"input": {"width": 0}}, "--input: input.width: 0: "),
        ({"inptu.width": 3}, "--inptu.width: inptu: unknown key; did you mean input?"),
    ],
)
def test_an_invalid_override_is_blamed_on_what_its_user_calls_it(
    file: Path, override: dict[str, object], said: str
) -> None:
    file.write_text(on("rk3588", "input:", "  height: 3"))
    with pytest.raises(ConfigError, match=rf"^{re.escape(said)}"):
        load(file, override, "--{}".format)
    (key,) = override
    with pytest.raises(ConfigError, match=rf"^override {key}: "):
        load(file, override)


def test_mistakes_of_overrides_come_after_those_of_the_file(file: Path) -> None:
    said = refusal(file, on("host", "batch: 0", "input: {width: 0}"), batch=-1, **{"input.std": 1})
    assert said.splitlines()[1:] == [
        f"{file}:3:9: input.width: 0: use a whole number from 1 to 8192",
        "override batch: -1: use a whole number from 1 to 1024",
        f"override input.std: 1: use {expected('input.std')}",
    ]


@pytest.mark.parametrize(
    ("key", "origin"),
    [
        ("platform", Place(1, 1)),
        ("size", "--size"),
        ("input.width", Place(3, 3)),
        ("input.height", "--input.height"),
        ("batch", None),
        ("simulated.seed", None),
    ],
)
def test_each_value_has_an_origin(file: Path, key: str, origin: Place | str | None) -> None:
    file.write_text(on("rk3588", "input:", "  width: 3", "  height: 4", "size: 3"))
    settings = read(file, {"size": 6, "input.height": 5}, "--{}".format)
    assert settings.origin(key) == origin


@pytest.mark.parametrize("text", ["platform: !!int x", "[" * 5000])
def test_texts_that_make_the_yaml_reader_fail_are_refused(file: Path, text: str) -> None:
    assert refusal(file, text).startswith(": invalid YAML: ")


def test_a_folder_named_by_a_date_is_images(file: Path) -> None:
    assert loaded(file, on("host", "images: 2026-11-25")).images == f"{file.parent}/2026-11-25"


def test_values_without_a_file_are_named_by_their_keys() -> None:
    assert validate({"platform": "host", "size": 3}).size == 3
    with pytest.raises(ConfigError, match=r"^size: 0: .*\nbatch: 0: "):
        validate({"platform": "host", "size": 0, "batch": 0})


def test_an_invalid_file_and_its_messages(file: Path, snapshot: SnapshotAssertion) -> None:
    texts = (
        "a: [",
        "- a",
        on("rk3588", "size: 4"),
        on("rk3588", "size: x", "batch: y", "bogus: 1"),
    )
    said = {text: refusal(file, text).replace(f"{file}", "FILE") for text in texts}
    assert said == snapshot


@pytest.mark.parametrize("text", ["# Read me\n\n    make: run\n  then: x: y", "Read me"])
@pytest.mark.parametrize(("name", "explained"), [("README.md", True), ("farm.yaml", False)])
def test_a_text_that_is_no_config_is_said_to_have_been_taken_for_one(
    name: str, explained: bool, text: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(ConfigError) as raised:
        load(path, {})
    assert ("taken for a config" in str(raised.value)) is explained
