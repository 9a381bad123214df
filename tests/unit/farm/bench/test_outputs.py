"""Where a report goes, and that it can go there is known before anything is measured."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

import pytest

from farm.bench.outputs import FORMS, Outputs
from farm.errors import OutputError
from tests.helpers.figures import report


def test_each_form_goes_to_its_file(tmp_path: Path) -> None:
    files = {flag: str(tmp_path / flag.strip("-")) for flag in FORMS}
    outputs = Outputs(files)
    outputs.check()
    assert list(tmp_path.iterdir()) == []
    outputs.write(report())
    texts = {flag: Path(name).read_bytes().decode() for flag, name in files.items()}
    assert texts == {flag: form(report()) for flag, form in FORMS.items()}


def test_each_file_that_is_written_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "farm")
    files = {"--csv": str(tmp_path / "a.csv"), "--markdown": str(tmp_path / "a.md")}
    Outputs({"--json": "-", **files}).write(report())
    assert [vars(record).get("file") for record in caplog.records] == list(files.values())


def test_one_can_go_to_standard_output_and_the_table_goes_beside_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    outputs = Outputs({"--json": "-"})
    outputs.check()
    outputs.write(report())
    assert json.loads(capsys.readouterr().out)["platform"] == "rk3588"
    assert outputs.table is sys.stderr
    assert Outputs({}).table is sys.stdout


@pytest.mark.parametrize(
    "files",
    [
        {"--json": "-", "--csv": "-"},
        {"--json": "bench.out", "--html": "./bench.out"},
        {"--html": "no/such/folder/bench.html"},
    ],
)
def test_what_can_not_be_written_is_refused_first(
    files: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OutputError):
        Outputs(files).check()
    assert list(tmp_path.iterdir()) == []
