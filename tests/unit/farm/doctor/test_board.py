"""The facts that are read from a board; odd files do no harm."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from farm.doctor.board import ONNXRUNTIME, Caller, Library, Node, read
from farm.hardware.environment import installed
from farm.system.file_access import User
from tests.helpers.boards import Boards, library_bytes


def test_all_facts_of_a_board(tmp_path: Path) -> None:
    board = Boards(tmp_path).built()
    assert board.compatible == "radxa,rock-5b rockchip,rk3588"
    assert (board.model, board.kernel) == ("Radxa ROCK 5B", "6.1.75-vendor")
    assert (board.driver, board.load_refusal) == ("0.9.8", None)
    assert board.library == Library(readable=True, machine=183, version="2.3.2")
    assert (board.container, board.tree_refusal, board.open_driver) == (None, None, False)
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


def test_of_an_empty_folder_nothing_is_known(tmp_path: Path) -> None:
    board = read(tmp_path, Caller.current())
    facts = (board.compatible, board.model, board.kernel, board.npu_status, board.driver)
    assert set(facts) == {None}
    assert (board.library, board.nodes, board.clocks) == (None, (), ())
    assert board.load_refusal


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"\0" * 5000, b"librknnrt version: 2"])
def test_a_file_that_is_no_library_has_no_version(tmp_path: Path, content: bytes) -> None:
    found = Boards(tmp_path, library=content).built().library
    assert found is not None
    assert found.version is None


def test_a_folder_in_the_librarys_place_is_no_library(tmp_path: Path) -> None:
    # As Docker makes it where -v names a file that is not there.
    (tmp_path / "usr/lib/librknnrt.so").mkdir(parents=True)
    found = Boards(tmp_path, library=None).built().library
    assert found is not None
    assert found.machine is None


def test_a_library_for_root_alone_cannot_be_read(tmp_path: Path) -> None:
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


def test_the_npus_node_is_the_one_with_its_driver(tmp_path: Path) -> None:
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


def test_one_npu_node_that_is_enabled_suffices(tmp_path: Path) -> None:
    boards = Boards(tmp_path)
    boards.write("proc/device-tree/npu@fdab0000/status", "disabled\0")
    boards.write("proc/device-tree/npu@fdac0000/status", "okay\0")
    assert boards.built().npu_status == "okay"


def test_a_board_without_a_name_has_its_device_trees(tmp_path: Path) -> None:
    board = Boards(tmp_path).built()
    assert board.name == "Radxa ROCK 5B"
    assert replace(board, model=None).name == "radxa,rock-5b rockchip,rk3588"


def test_the_caller_is_this_process() -> None:
    caller = Caller.current()
    assert caller.user == User.current()
    assert 0 < caller.available_mb < psutil.virtual_memory().total // 2**20
    assert (caller.packages.get(ONNXRUNTIME) is None) is (installed(ONNXRUNTIME) is None)
