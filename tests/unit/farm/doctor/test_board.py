"""The facts that are read off a board, and that odd files do no harm."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from farm.doctor.board import Library, Node, read, this_process
from farm.system import file_access as files
from farm.system.file_access import READ, WRITE, User, may, refusal
from tests.helpers.boards import Boards, library_bytes


def test_all_facts_of_a_board(tmp_path: Path) -> None:
    board = Boards(tmp_path).built()
    assert board.compatible == "radxa,rock-5b rockchip,rk3588"
    assert (board.model, board.kernel) == ("Radxa ROCK 5B", "6.1.75-vendor")
    assert (board.driver, board.load_refusal) == ("0.9.8", None)
    assert board.library == Library(readable=True, machine=183, version="2.3.2")
    assert (board.available_mb, board.container, board.open_driver) == (3500, False, False)
    assert board.nodes == (
        Node(
            path="/dev/dri/renderD129",
            driver="RKNPU",
            mode=0o660,
            gid=tmp_path.stat().st_gid,
            group="render",
            openable=True,
        ),
    )


def test_an_empty_folder_is_a_board_of_which_nothing_is_known(tmp_path: Path) -> None:
    board = read(tmp_path, this_process())
    facts = (board.compatible, board.model, board.kernel, board.npu_status, board.driver)
    assert set(facts) == {None}
    assert (board.library, board.available_mb, board.nodes, board.clocks) == (None, None, (), ())
    assert board.load_refusal


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"\0" * 5000, b"librknnrt version: 2"])
def test_a_library_that_is_none_has_no_version(tmp_path: Path, content: bytes) -> None:
    found = Boards(tmp_path, library=content).built().library
    assert found is not None
    assert found.version is None


def test_a_folder_in_the_librarys_place_is_no_library(tmp_path: Path) -> None:
    # As Docker makes it where -v names a file that is not there.
    (tmp_path / "usr/lib/librknnrt.so").mkdir(parents=True)
    found = Boards(tmp_path, library=None).built().library
    assert found is not None
    assert found.machine is None


def test_a_library_for_root_alone_can_not_be_read(tmp_path: Path) -> None:
    boards = Boards(tmp_path)
    path = boards.write("usr/lib/librknnrt.so", library_bytes("2.3.2"))
    path.chmod(0o600)
    found = replace(boards, library=None).built().library
    assert found is not None
    assert not found.readable


@pytest.mark.parametrize("place", ["proc/rknpu/version", "sys/module/rknpu/version"])
def test_the_drivers_version_has_other_places(tmp_path: Path, place: str) -> None:
    boards = Boards(tmp_path, driver=None)
    boards.write(place, "0.9.6\n")
    assert boards.built().driver == "0.9.6"


def test_the_npus_node_is_the_one_that_says_so(tmp_path: Path) -> None:
    boards = Boards(tmp_path)
    boards.write("dev/dri/renderD128", "")
    boards.write("sys/class/drm/renderD128/device/uevent", "DRIVER=panfrost\n")
    boards.write("dev/rknpu", "")
    board = boards.built()
    assert [node.driver for node in board.nodes] == ["panfrost", "RKNPU", "RKNPU"]
    assert [node.path for node in board.npu_nodes()] == ["/dev/dri/renderD129", "/dev/rknpu"]


def test_a_group_without_a_name_has_a_number(tmp_path: Path) -> None:
    boards = Boards(tmp_path)
    board = boards.built()
    boards.write("etc/group", "broken\nroot:x:99999:\n")
    (node,) = read(tmp_path, board.caller).nodes
    assert node.group == str(node.gid)


@pytest.mark.parametrize(
    ("mode", "uid", "group", "allowed"),
    [
        (0o660, 0, False, True),
        (0o600, 0, False, True),
        (0o600, 7, False, True),
        (0o060, 7, True, False),  # the owner's bits hold for the owner
        (0o660, 8, True, True),
        (0o640, 8, True, False),
        (0o606, 8, True, False),
        (0o660, 8, False, False),
        (0o666, 8, False, True),
    ],
)
def test_rights_are_those_of_the_mode(mode: int, uid: int, group: bool, allowed: bool) -> None:
    status = os.stat_result((mode, 0, 0, 1, 7, 70, 0, 0, 0, 0))
    user = User(uid=uid, groups=frozenset({70} if group else {71}))
    assert may(user, status, READ | WRITE) is allowed


def test_why_a_file_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.touch()
    assert refusal(file) is None
    assert refusal(tmp_path) == "not a file"
    assert refusal(tmp_path / "missing") == "no such file"
    assert refusal(Path("/" + "x" * 300)) == "File name too long"

    def barred(*_arguments: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", barred)
    assert refusal(file) == "Permission denied"


def test_a_system_file_is_text_whatever_is_in_it(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"\xffname\0\n")
    assert files.text(file) == "\ufffdname"
    assert files.text(tmp_path) is None
