"""`--recursive` in the commands that read folders, beside `run`, whose own tests have it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from farm.cli.commands import cli
from farm.errors import EXIT_OK, SourceError
from farm.system.log import LOG
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
def told() -> Iterator[list[str]]:
    """What is logged: in this process, a command's messages go to handlers that outlive it."""
    handlers, level, messages = list(LOG.handlers), LOG.level, list[str]()
    listener = logging.Handler()
    listener.emit = lambda record: messages.append(record.getMessage())  # type: ignore[method-assign]
    logging.root.addHandler(listener)
    yield messages
    logging.root.removeHandler(listener)
    LOG.handlers[:], LOG.level = handlers, level


@pytest.fixture
def photos(renders: list[Path], tmp_path: Path) -> Path:
    """Two photos, in a folder in a folder."""
    folder = tmp_path / "photos" / "of" / "ours"
    folder.mkdir(parents=True)
    for path in renders[:2]:
        (folder / path.name).symlink_to(path)
    return tmp_path / "photos"


def exit_code(*words: str) -> int | str | None:
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    return ended.value.code


@pytest.mark.parametrize("words", COMMANDS, ids=[words[0] for words in COMMANDS])
def test_folders_in_a_folder_are_read_if_that_is_asked_for(
    words: tuple[str, ...],
    photos: Path,
    told: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(photos.parent)
    Path(MODEL).write_bytes(b"onnx")
    Path(CONFIG).write_text("platform: rk3588\nruntime: simulated\ncpu: all\n", encoding="utf-8")
    monkeypatch.setattr("farm.system.signals.exit_on_signals", lambda: None)
    monkeypatch.setattr("farm.bench.tune.trial", lambda *_: measured())
    install(monkeypatch)
    assert exit_code(*words, str(photos)) == SourceError.exit_code
    assert "--recursive" in told[-1]
    assert exit_code(*words, str(photos), "--recursive") == EXIT_OK
    assert " 2 images" in capsys.readouterr().out
