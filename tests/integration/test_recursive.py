"""`--recursive` in the commands that read folders, beside `run`, whose own tests have it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest

from farm.cli.commands import cli
from farm.errors import SourceError
from tests.helpers.figures import measured
from tests.helpers.programs import SIMULATED
from tests.helpers.rknn_toolkit import install

MODEL: Final = "net.onnx"
CONFIG: Final = "farm.yaml"
COMMANDS: Final = (
    ("bench", *SIMULATED, "-s", "1", "-r", "1", "--rounds", "1"),
    ("tune", CONFIG),
    ("convert", MODEL, "-p", "rk3588", "--calibrate"),
)


@pytest.fixture
def photos(renders: list[Path], tmp_path: Path) -> Path:
    """Two photos, in a folder in a folder."""
    folder = tmp_path / "photos" / "of" / "ours"
    folder.mkdir(parents=True)
    for path in renders[:2]:
        (folder / path.name).symlink_to(path)
    return tmp_path / "photos"


@pytest.mark.parametrize("words", COMMANDS, ids=[words[0] for words in COMMANDS])
def test_folders_in_a_folder_are_read_if_that_is_asked_for(
    words: tuple[str, ...],
    photos: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(photos.parent)
    Path(MODEL).write_bytes(b"onnx")
    Path(CONFIG).write_text("platform: rk3588\nruntime: simulated\ncpu: all\n", encoding="utf-8")
    monkeypatch.setattr("farm.system.signals.exit_on_signals", lambda: None)
    monkeypatch.setattr("farm.bench.tune.trial", lambda *_: measured())
    install(monkeypatch)
    with pytest.raises(SourceError, match="--recursive"):
        cli.main([*words, str(photos)], standalone_mode=False)
    with suppress(SystemExit):
        cli.main([*words, str(photos), "--recursive"], standalone_mode=False)
    assert " 2 images" in capsys.readouterr().out
