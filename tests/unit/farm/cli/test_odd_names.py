"""What commands print about files whose names a terminal or a shell would act on."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from farm.cli.commands import cli


@pytest.mark.parametrize("name", ["a\x1b]0;b\a.yaml", "\x1b[31mred.yaml", "n\udcffn.yaml"])
def test_no_control_character_of_a_configs_name_is_printed(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    cli.main(["init", "host", "-o", name], standalone_mode=False)
    cli.main(["config", "show", name], standalone_mode=False)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 10
    assert all(map(str.isprintable, lines))


def test_a_name_with_a_leading_dash_is_no_flag_in_a_hint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    cli.main(["init", "host", "-o", "./-x.yaml"], standalone_mode=False)
    assert shlex.split(capsys.readouterr().out.splitlines()[-1])[-1] == "./-x.yaml"
