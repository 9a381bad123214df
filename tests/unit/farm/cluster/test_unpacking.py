from __future__ import annotations

import asyncio
from pathlib import Path
from unittest.mock import Mock

import pytest

from farm.cluster.messages import Data, Parcel, Shared
from farm.cluster.objects import Objects
from farm.cluster.shared_paths import SharedFolder
from farm.cluster.unpacking import Unpacker
from workers.protocol.messages import ItemError


def unpacker(folder: SharedFolder | None) -> Unpacker:
    return Unpacker(folder, Mock(Objects), 1000)


def unpacked(unpacker: Unpacker, source: Data | Shared) -> bytes | str | ItemError:
    return asyncio.run(unpacker.unpack(Parcel(1, b"a.jpg", source)))


def test_bytes_are_bytes() -> None:
    assert unpacked(unpacker(None), Data(b"jpeg")) == b"jpeg"


def test_a_path_is_one_of_the_boards_own_folder(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"")
    there = unpacker(SharedFolder.at(tmp_path))
    assert unpacked(there, Shared(b"a.jpg")) == str(tmp_path.resolve() / "a.jpg")


def test_an_image_that_is_missing_is_so_here(tmp_path: Path) -> None:
    there = unpacker(SharedFolder.at(tmp_path))
    assert unpacked(there, Shared(b"a.jpg")) == ItemError("missing", "no such file")


def test_a_board_opens_no_path_unless_it_may(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"")
    error = unpacked(unpacker(None), Shared(bytes(tmp_path / "a.jpg")))
    assert isinstance(error, ItemError)
    assert error.kind == "not_allowed"


@pytest.mark.parametrize("path", [b"", b".", b"/etc/passwd", b"../a.jpg", b"b/../../a.jpg"])
def test_what_is_not_below_the_folder_is_refused(tmp_path: Path, path: bytes) -> None:
    folder = tmp_path / "shared"
    (folder / "b").mkdir(parents=True)
    (tmp_path / "a.jpg").write_bytes(b"")
    error = unpacked(unpacker(SharedFolder.at(folder)), Shared(path))
    assert isinstance(error, ItemError)
    assert error.kind == "outside"
