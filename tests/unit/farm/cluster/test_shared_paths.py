from __future__ import annotations

import os
from pathlib import Path

import pytest

from farm.cluster.shared_paths import SharedFolder
from farm.errors import ConfigError
from workers.errors import ImageError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that is named by a link, with an image in it; there is another beside it."""
    (tmp_path / "real/day").mkdir(parents=True)
    (tmp_path / "real/day/a.jpg").write_bytes(b"inside")
    (tmp_path / "real-2").mkdir()
    (tmp_path / "real-2/b.jpg").write_bytes(b"outside")
    (tmp_path / "link").symlink_to("real")
    return tmp_path / "link"


def kind(folder: Path, path: bytes) -> str:
    with pytest.raises(ImageError) as raised:
        SharedFolder.at(folder).resolved(path)
    return raised.value.kind


def test_sender_and_board_may_have_the_folder_at_different_places(folder: Path) -> None:
    shared = SharedFolder.at(folder)
    assert shared.below(bytes(folder / "day/a.jpg")) == b"day/a.jpg"
    assert shared.resolved(b"day/a.jpg") == bytes(folder.resolve() / "day/a.jpg")


def test_links_within_the_folder_are_good(folder: Path) -> None:
    (folder / "a.jpg").symlink_to("day/a.jpg")
    assert SharedFolder.at(folder).below(bytes(folder / "a.jpg")) == b"day/a.jpg"
    assert SharedFolder.at(folder).resolved(b"a.jpg") == bytes(folder.resolve() / "day/a.jpg")


@pytest.mark.parametrize("target", ["../real-2/b.jpg", "/etc/passwd", "/dev/zero"])
def test_a_link_out_of_the_folder_is_refused(folder: Path, target: str) -> None:
    (folder / "b.jpg").symlink_to(target)
    assert kind(folder, b"b.jpg") == "outside"
    with pytest.raises(ImageError):
        SharedFolder.at(folder).below(bytes(folder / "b.jpg"))


def test_a_folder_whose_name_begins_alike_is_another(folder: Path) -> None:
    with pytest.raises(ImageError, match="not below"):
        SharedFolder.at(folder).below(bytes(folder.resolve().with_name("real-2") / "b.jpg"))


def test_a_link_that_is_changed_later_changes_nothing(folder: Path) -> None:
    link = folder / "now"
    link.symlink_to("day")
    path = SharedFolder.at(folder).resolved(b"now/a.jpg")
    link.unlink()
    link.symlink_to("../real-2")
    (folder.resolve().with_name("real-2") / "a.jpg").write_bytes(b"outside")
    assert Path(os.fsdecode(path)).read_bytes() == b"inside"


def test_links_in_a_path_too_long_to_look_at_are_refused(folder: Path) -> None:
    """realpath leaves a link in it as it is, unless it is strict: and so it leads outside."""
    names = [b"n" * 250] * 17
    inner = os.open(folder, os.O_RDONLY)
    for name in names:
        os.mkdir(name, dir_fd=inner)
        outer, inner = inner, os.open(name, os.O_RDONLY, dir_fd=inner)
        os.close(outer)
    os.symlink("/etc/passwd", "link", dir_fd=inner)
    os.close(inner)
    assert kind(folder, b"/".join([*names, b"link"])) == "unreadable"


@pytest.mark.parametrize(
    ("path", "expected"),
    [(b"a\0b", "unreadable"), (b"n" * 300, "unreadable"), (b"day/a.jpg/x", "missing"),
     (b"loop", "unreadable"), (b"x/" * 4000 + b"x", "unreadable")],
)  # fmt: skip
def test_what_no_file_has_as_its_path_is_refused(folder: Path, path: bytes, expected: str) -> None:
    (folder / "loop").symlink_to("loop")
    assert kind(folder, path) == expected


def test_a_folder_that_is_none_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for name in ("none", "file"):
        with pytest.raises(ConfigError, match="--by-path"):
            SharedFolder.at(tmp_path / name)
