"""A folder is locked until its process lets it go, or ends."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from farm.system.folder_lock import is_new, locked


def test_a_folder_is_locked_until_its_descriptor_is_closed(tmp_path: Path) -> None:
    fd = locked(str(tmp_path))
    with pytest.raises(BlockingIOError):
        locked(str(tmp_path))
    os.close(fd)
    os.close(locked(str(tmp_path)))


def test_a_link_to_a_folder_is_none(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(OSError, match="Not a directory"):
        locked(str(tmp_path / "link"))


def test_a_folder_is_new_for_a_minute(tmp_path: Path) -> None:
    assert is_new(tmp_path.stat())
    os.utime(tmp_path, (0, 0))
    assert not is_new(tmp_path.stat())
