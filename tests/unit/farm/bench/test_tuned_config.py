"""The config that a tune writes: where, with which paths, and what stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from farm.bench.tuned_config import TunedConfig
from farm.errors import ConfigError

SCHEMA = "# yaml-language-server: $schema=schema.json\n"
TEXT = f"{SCHEMA}platform: rk3588  # this\nmodel: models/a.rknn\n# size: 2\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "board.yaml"
    path.write_text(TEXT)
    return path


def test_the_configs_own_file_gets_the_values_and_keeps_the_rest(config: Path) -> None:
    config.chmod(0o640)
    TunedConfig(config=config, output=None, writes=True).write({"decoders": 2})
    assert config.read_text() == TEXT + "decoders: 2\n"
    assert config.stat().st_mode & 0o777 == 0o640


def test_another_folders_file_has_paths_from_there(config: Path, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    output = tmp_path / "sub" / "tuned.yaml"
    TunedConfig(config=config, output=output, writes=False).write({})
    assert "model: ../models/a.rknn\n" in output.read_text()
    assert "$schema=../schema.json\n" in output.read_text()
    assert config.read_text() == TEXT


def test_without_a_target_nothing_is_written_but_shown(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = TunedConfig(config=config, output=None, writes=False)
    nowhere.check()
    nowhere.write({"decoders": 2})
    assert nowhere.target is None
    assert config.read_text() == TEXT
    assert capsys.readouterr().out == "+ decoders: 2\n"


def test_a_text_that_can_not_take_the_values_is_refused_before_anything_is_measured(
    config: Path,
) -> None:
    config.write_text("{platform: rk3588}\n")
    with pytest.raises(ConfigError, match=str(config)):
        TunedConfig(config=config, output=None, writes=True).check()
