"""`npu-farm config show`: every value, and where it comes from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from farm.cli.config_show import show
from farm.cli.words import read_config
from farm.config.expected import PROPERTIES, SECTIONS
from farm.config.loader import load
from farm.config.schema import FarmConfig
from farm.errors import ConfigError

TEXT = """# one farm
platform: rk3588
model: m/a.onnx
cpu: [4, 5]
size: 3
truth: 'a: #(.)'

input:
  width: 96
  mean: [1, 2, 3]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "farm.yaml"
    path.write_text(TEXT)
    return path


def shown(file: Path, **said: Any) -> list[str]:
    return show(read_config(str(file), said))


def test_each_value_has_its_origin(file: Path) -> None:
    lines = shown(file, size=6, settings={"input.height": 64, "batch": 4})
    assert str(file) in lines[0]
    told = {line.split(":")[0].strip(): line.rpartition("  # ")[2] for line in lines}
    assert {key: told[key] for key in ("platform", "model", "size", "width", "height")} == {
        "platform": "line 2",
        "model": "line 3",
        "size": "--size",
        "width": "line 9",
        "height": "--set input.height",
    }
    assert (told["batch"], told["window"], told["seed"]) == ("--set batch", "default", "default")


def test_it_is_a_config_that_says_the_same(file: Path, tmp_path: Path) -> None:
    lines = shown(file, size=6, settings={"input.height": 64})
    copy = tmp_path / "elsewhere" / "copy.yaml"
    copy.parent.mkdir()
    copy.write_text("\n".join(lines))
    assert load(copy, {}) == load(file, {"size": 6, "input.height": 64})


def test_every_key_is_shown(file: Path) -> None:
    values = yaml.safe_load("\n".join(shown(file)))
    assert list(values) == list(FarmConfig.model_fields)
    for section in SECTIONS:
        inner = [key for key in PROPERTIES if key.startswith(f"{section}.")]
        assert [f"{section}.{key}" for key in values[section]] == inner


def test_the_origins_are_in_a_column_unless_a_path_is_long(file: Path) -> None:
    columns = {line.rfind("#") for line in shown(file) if "  # " in line and "model" not in line}
    assert len(columns) == 1


def test_mistakes_are_told_as_in_a_run(file: Path) -> None:
    with pytest.raises(ConfigError, match=r"--size: 4: "):
        shown(file, size=4)
