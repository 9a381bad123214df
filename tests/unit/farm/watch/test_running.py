from __future__ import annotations

import os
import socket
import tempfile
from pathlib import Path

import pytest

from farm.watch import running
from farm.watch.running import address_in, process_of

NAME = "npu-farm-abcdefgh"


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place that is looked through; short, as a socket's path must be."""
    made = Path(tempfile.mkdtemp(prefix="w", dir="/tmp"))
    monkeypatch.setattr(tempfile, "tempdir", str(made))
    monkeypatch.setattr(running, "USUAL", str(made))
    return made


def listening(folder: Path) -> socket.socket:
    folder.mkdir()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(folder / "snapshots"))
    listener.listen()
    return listener


def test_a_farm_that_listens_is_found_and_one_that_is_gone_is_not(folder: Path) -> None:
    with listening(folder / NAME):
        listening(folder / "npu-farm-deadbeef").close()
        assert running.running() == [address_in(str(folder / NAME))]
        assert process_of(address_in(str(folder / NAME))) == os.getpid()
    assert running.running() == []


def test_a_folder_of_another_name_is_not_looked_into(folder: Path) -> None:
    with listening(folder / "npu-farm-photos"):
        (folder / "npu-farm-12345678").mkdir()
        assert running.running() == []


def test_the_oldest_farm_is_the_first(folder: Path) -> None:
    names = ("npu-farm-zzzzzzzz", "npu-farm-aaaaaaaa")
    with listening(folder / names[0]), listening(folder / names[1]):
        os.utime(folder / names[0] / "snapshots", (1.0, 1.0))
        assert running.running() == [address_in(str(folder / name)) for name in names]
