"""A file that appears whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from farm.errors import OutputError
from farm.system.atomic_file import atomic_write


def test_a_file_is_replaced_when_all_is_there(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    target.write_text("earlier")
    with atomic_write(target, "--json") as part:
        part.write_text("new")
        assert target.read_text() == "earlier"
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("fails", [True, False])
def test_a_block_that_fails_or_writes_nothing_leaves_all_as_it_was(
    tmp_path: Path, fails: bool
) -> None:
    target = tmp_path / "a.json"
    target.write_text("earlier")
    try:
        with atomic_write(target, "--json") as part:
            if fails:
                part.write_text("half")
                raise ValueError
    except ValueError:
        assert fails
    assert target.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(
    ("name", "why"), [("no/such.json", "No such file or directory"), (".", "Is a directory")]
)
def test_a_place_that_cannot_be_written_is_reported_at_once(
    tmp_path: Path, name: str, why: str
) -> None:
    with pytest.raises(OutputError) as caught, atomic_write(tmp_path / name, "--json"):
        pytest.fail("the block was entered")
    for part in ("--json", str(tmp_path / name), why):
        assert part in str(caught.value)


def test_what_a_killed_run_has_left_is_in_nobodys_way(tmp_path: Path) -> None:
    """In a container, all runs have the same numbers of processes and threads."""
    target = tmp_path / "a.json"
    with atomic_write(target, "--json") as left:
        with atomic_write(target, "--json") as part:
            part.write_text("whole")
        assert left.exists()
    assert target.read_text() == "whole"


def test_a_device_stays_a_device() -> None:
    with atomic_write(Path(os.devnull), "--json") as part:
        part.write_text("gone")
    assert Path(os.devnull).is_char_device()


def test_a_device_without_room_is_named() -> None:
    with pytest.raises(OutputError) as caught, atomic_write(Path("/dev/full"), "--json") as part:
        part.write_text("too much")
    assert "--json /dev/full: " in str(caught.value)


def test_a_file_that_cannot_be_replaced_is_reported(tmp_path: Path) -> None:
    target = tmp_path / "a.json"

    def write_while_somebody_makes_a_folder() -> None:
        with atomic_write(target, "--json") as part:
            part.write_text("new")
            target.mkdir()

    with pytest.raises(OutputError, match=str(target)):
        write_while_somebody_makes_a_folder()
    assert list(tmp_path.iterdir()) == [target]
