"""The checks of a board: one for each problem, and that healthy boards have none."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from farm.doctor.board import Board
from farm.doctor.board_checks import BOARD_CHECKS, clocks, driver, load
from farm.doctor.finding import Finding, Report, Status
from farm.hardware.container import CHROOT, DOCKER, LXC, POD, PODMAN, Container
from farm.hardware.known_errors import (
    CONTAINER_FLAGS,
    INSTALL_LIBRARY,
    NAME_RK3588S,
    UPDATE_KERNEL,
)
from farm.hardware.platforms import SOCS
from farm.hardware.sensors import Clock
from tests.helpers.boards import Boards, bad, library_bytes
from workers.runtimes.base import INSTALL_RKNN, OLDER_PYTHON

JOIN_RENDER = "sudo usermod -aG render $USER   # then log in again"
SEE_DRIVER = "sudo dmesg | grep -i rknpu"
RULE = (
    """echo 'KERNEL=="{node}", MODE="0660", GROUP="render"' | sudo tee """
    "/etc/udev/rules.d/99-rknpu.rules && sudo udevadm control --reload && sudo udevadm trigger"
)
RK3582 = ("radxa,rock-5c-lite", "rockchip,rk3582")
CPU_CLOCKS = "/sys/devices/system/cpu/cpufreq/policy*/scaling_governor"


def elf_of(size: int, sections_at: int) -> bytes:
    """A library for aarch64 whose table of sections begins at a byte."""
    table = struct.pack("<Q", sections_at)
    return (library_bytes("2.3.2")[:40] + table).ljust(size, b"\0")


# What is changed on a healthy board; status, check and fix of the one finding that follows.
PROBLEMS: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "an rk3582 that the toolkit does not know": (
        {"soc": "rk3582", "compatible": RK3582}, "failure", "SoC", NAME_RK3588S,
    ),
    "a driver that runs core 0 only": (
        {"driver": "0.9.3"}, "warning", "driver", UPDATE_KERNEL,
    ),
    "a driver older than the vendor recommends": (
        {"driver": "0.8.2"}, "warning", "driver", UPDATE_KERNEL,
    ),
    "no rights on the render node": (
        {"in_group": False}, "failure", "device", JOIN_RENDER,
    ),
    "a /dev/rknpu for root alone": (
        {"node": "dev/rknpu", "node_mode": 0o600}, "failure", "device", RULE.format(node="rknpu"),
    ),
    "render nodes whose drivers are unknown": (
        {"in_group": False, "node_driver": None}, "failure", "device", JOIN_RENDER,
    ),
    "only the GPU's render node": (
        {"node_driver": "panfrost"}, "failure", "device", SEE_DRIVER,
    ),
    "no library": (
        {"library": None}, "failure", "library", INSTALL_LIBRARY,
    ),
    "a library for a PC": (
        {"library": library_bytes("2.3.2", machine=62)}, "failure", "library", INSTALL_LIBRARY,
    ),
    "a web page saved as the library": (
        {"library": b"<!DOCTYPE html>"}, "failure", "library", INSTALL_LIBRARY,
    ),
    "a truncated library": (
        {"library": elf_of(10_000, sections_at=20_000)}, "failure", "library", INSTALL_LIBRARY,
    ),
    "a library for 32-bit ARM": (
        {"library": library_bytes("2.3.2", machine=40)}, "failure", "library", INSTALL_LIBRARY,
    ),
    "no toolkit": (
        {"toolkit": None}, "failure", "toolkit", INSTALL_RKNN,
    ),
    "no toolkit for this Python": (
        {"toolkit": None, "python": (3, 13)}, "failure", "toolkit", OLDER_PYTHON,
    ),
    "a library of an older major version": (
        {"library": library_bytes("1.5.2")}, "warning", "versions", INSTALL_LIBRARY,
    ),
    "CPUs that a governor keeps slow": (
        {"cpu_governor": "powersave"},
        "warning",
        "clocks",
        f"echo performance | sudo tee {CPU_CLOCKS}",
    ),
    "an NPU that is slow in spite of its governor": (
        {"npu_clock": ("performance", 600)},
        "warning",
        "clocks",
        "head /sys/class/thermal/thermal_zone*/temp   # in 1/1000 degrees C: too hot?",
    ),
    "an NPU that a governor keeps slow": (
        {"npu_clock": ("userspace", 300)},
        "warning",
        "clocks",
        "echo performance | sudo tee /sys/class/devfreq/*npu*/governor",
    ),
}  # fmt: skip


def checked(board: Board) -> list[Finding]:
    return [found for check in BOARD_CHECKS if (found := check(board)) is not None]


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_boards_problem_is_found_with_its_fix(tmp_path: Path, name: str) -> None:
    changes, *expected = PROBLEMS[name]
    assert bad(checked(Boards(tmp_path, **changes).built())) == [tuple(expected)]


def test_how_problems_are_worded(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    lines = []
    for number, (name, (changes, *_)) in enumerate(PROBLEMS.items()):
        board = Boards(tmp_path / str(number), **changes).built()
        lines += [f"{name}: {f.message}" for f in checked(board) if f.status is not Status.OK]
    assert "\n".join(lines) == snapshot


@pytest.mark.parametrize("soc", SOCS)
def test_a_healthy_board_has_no_problems(tmp_path: Path, soc: str) -> None:
    found = checked(Boards(tmp_path, soc=soc).built())
    assert bad(found) == []
    assert [f.check for f in found] == [
        "SoC", "driver", "device", "library", "toolkit", "load", "clocks"
    ]  # fmt: skip
    assert soc in found[0].message


def test_a_soc_that_is_not_supported(tmp_path: Path) -> None:
    board = Boards(tmp_path, compatible=("pine64,rockpro64", "rockchip,rk3399")).built()
    assert bad(checked(board)) == [("failure", "SoC", "npu-farm doctor host   # on the CPU")]


@pytest.mark.parametrize(
    ("version", "status"),
    [
        ("0.8.8", Status.WARNING),  # older than recommended, for another reason
        ("0.9.0", Status.WARNING),
        ("0.9.5", Status.WARNING),
        ("0.9.6", Status.OK),
        ("0.9.8", Status.OK),
    ],
)
def test_drivers_that_run_one_core_only(tmp_path: Path, version: str, status: Status) -> None:
    found = driver(Boards(tmp_path, driver=version).built())
    assert found.status is status
    assert ("failed to submit" in found.message) is ("0.9.0" <= version < "0.9.6")


def test_a_soc_with_one_core_may_have_a_driver_for_one(tmp_path: Path) -> None:
    assert bad(checked(Boards(tmp_path, soc="rk3566", driver="0.9.3").built())) == []


def test_one_of_two_nodes_cannot_be_opened(tmp_path: Path) -> None:
    boards = Boards(tmp_path)
    boards.write("dev/rknpu", "").chmod(0o600)
    ((status, check, fix),) = bad(checked(boards.built()))
    assert (status, check) == ("warning", "device")
    assert fix == RULE.format(node="rknpu")


def test_an_acl_grants_what_the_mode_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("farm.doctor.board.has_acl", lambda _path: True)
    monkeypatch.setattr("os.access", lambda _path, _mode: True)
    assert bad(checked(Boards(tmp_path, in_group=False).built())) == []


def test_nobody_has_to_join_the_group_of_root(tmp_path: Path) -> None:
    board = Boards(tmp_path, in_group=False).built()
    of_root = replace(board, nodes=(replace(board.nodes[0], group="root"),))
    assert bad(checked(of_root)) == [("failure", "device", RULE.format(node="renderD129"))]


def test_a_library_that_cannot_be_read(tmp_path: Path) -> None:
    board = Boards(tmp_path).built()
    assert board.library is not None
    closed = replace(board, library=replace(board.library, readable=False))
    fix = "sudo chmod 644 /usr/lib/librknnrt.so"
    assert bad(checked(closed)) == [("failure", "library", fix)]


def test_a_library_of_unknown_version_is_accepted(tmp_path: Path) -> None:
    assert bad(checked(Boards(tmp_path, library=library_bytes(None)).built())) == []


def test_a_driver_whose_version_only_root_can_read_is_no_problem(tmp_path: Path) -> None:
    assert driver(Boards(tmp_path, driver=None).built()).status is Status.OK


DRIVERLESS = {  # a file, its content, and the fix
    "dev/accel/accel0": (
        "",
        "sudo armbian-config   # a vendor (BSP) kernel; or your board's own image",
    ),
    "proc/device-tree/npu@fde40000/status": (
        "disabled\0",
        "sudo armbian-config   # or rsetup: an overlay that enables the NPU",
    ),
    "nothing": ("", SEE_DRIVER),
}


@pytest.mark.parametrize("file", DRIVERLESS)
def test_a_board_without_the_vendors_driver(tmp_path: Path, file: str) -> None:
    content, fix = DRIVERLESS[file]
    boards = Boards(tmp_path, driver=None, node=None)
    boards.write(file, content)
    assert bad(checked(boards.built())) == [
        ("failure", "driver", fix),
        ("failure", "device", SEE_DRIVER),
    ]


def test_a_node_of_unknown_driver_and_no_version_is_a_warning(tmp_path: Path) -> None:
    board = Boards(tmp_path, driver=None, node_driver=None).built()
    fix = "sudo cat /sys/kernel/debug/rknpu/version"
    assert bad(checked(board)) == [("warning", "driver", fix)]


def test_a_load_that_cannot_be_read_is_no_problem(tmp_path: Path) -> None:
    why = "no permission to read /sys/kernel/debug/rknpu/load; to allow it: sudo chmod ..."
    found = load(replace(Boards(tmp_path).built(), load_refusal=why))
    assert found.status is Status.OK
    assert found.message.endswith(why)


POD_FILE = "run/secrets/kubernetes.io"
NO_NPU: dict[str, Any] = {"node": None, "driver": None, "library": None}


@pytest.mark.parametrize(
    ("file", "fix"),
    [
        (".dockerenv", CONTAINER_FLAGS),
        ("run/.containerenv", PODMAN.give_npu),
        (POD_FILE, POD.give_npu),
        ("dev/lxd/sock", LXC.give_npu),
    ],
)
def test_a_container_that_was_given_nothing(tmp_path: Path, file: str, fix: str) -> None:
    boards = Boards(tmp_path, container=file, device_tree=False, node=None, library=None)
    assert bad(checked(boards.built())) == [
        ("failure", check, fix) for check in ("SoC", "container", "device", "library")
    ]


TRACES: dict[str, dict[str, Any]] = {
    "all but the tree": {},
    "the NPU's node alone": {"library": None, "driver": None, "toolkit": None},
    "a node of an unknown driver and the library": {"node_driver": None, "driver": None},
    "the driver's version alone": {"node": None, "library": None},
}


@pytest.mark.parametrize("name", TRACES)
def test_a_board_whose_device_tree_is_hidden_is_no_pc(tmp_path: Path, name: str) -> None:
    board = Boards(tmp_path, device_tree=False, **TRACES[name]).built()
    assert board.may_be_supported()
    assert ("failure", "SoC", CHROOT.give_npu) in bad(checked(board))


@pytest.mark.parametrize(
    ("file", "kind"),
    [(None, CHROOT), (POD_FILE, POD), (".dockerenv", DOCKER)],
)
def test_a_container_that_lacks_the_device_tree_alone_says_how_to_get_it(
    tmp_path: Path, file: str | None, kind: Container
) -> None:
    found = checked(Boards(tmp_path, container=file, device_tree=False).built())
    assert {fix for _, _, fix in bad(found)} == {kind.give_npu}
    assert kind.name in found[0].message
    assert "/proc/device-tree/compatible" in found[0].message


def test_a_device_tree_that_may_not_be_read_is_no_missing_one(tmp_path: Path) -> None:
    board = Boards(tmp_path, device_tree=False, node=None, driver=None, library=None).built()
    found = checked(replace(board, tree_refusal="Permission denied"))[0]
    assert (found.status, found.fix) == (Status.FAILURE, "sudo dmesg | grep -i denied")
    assert "Permission denied" in found.message


@pytest.mark.parametrize(
    "changes",
    [
        {"device_tree": False, "arch": "x86_64"},
        {"device_tree": False, "arch": "x86_64", "container": ".dockerenv"},
        {"device_tree": False, "node": None, "driver": None},
        {"device_tree": False, **NO_NPU},
        {"device_tree": False, "node_driver": "amdgpu", "driver": None},
        {"device_tree": False, "container": ".dockerenv", "kernel": "6.10.14-linuxkit", **NO_NPU},
        {"device_tree": False, "kernel": "5.15.153.1-microsoft-standard-WSL2", **NO_NPU},
        {"device_tree": False, "container": POD_FILE, "kernel": "6.8.0-1021-aws", **NO_NPU},
        {"compatible": ("raspberrypi,5-model-b", "brcm,bcm2712")},
        {"compatible": ("raspberrypi,5-model-b", "brcm,bcm2712"), "container": "dev/lxd/sock"},
        {"compatible": ("radxa,e20c", "rockchip,rk3528")},
    ],
)
def test_what_is_certainly_no_supported_board(tmp_path: Path, changes: dict[str, Any]) -> None:
    assert not Boards(tmp_path, **changes).built().may_be_supported()


def test_a_folder_that_docker_made_for_the_library_is_mended_on_the_board(tmp_path: Path) -> None:
    boards = Boards(tmp_path, container=".dockerenv", library=None)
    (tmp_path / "usr/lib/librknnrt.so").mkdir(parents=True)
    fix = f"{INSTALL_LIBRARY}   # on the board"
    assert bad(checked(boards.built())) == [("failure", "library", fix)]


def test_a_container_with_all_it_needs(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    found = checked(Boards(tmp_path, container=".dockerenv").built())
    assert bad(found) == []
    assert Report(tuple(found)).to_text() == snapshot


def test_a_container_needs_the_npu_under_the_toolkits_name(tmp_path: Path) -> None:
    boards = Boards(tmp_path, container=".dockerenv", node="dev/dri/renderD128")
    ((status, check, fix),) = bad(checked(boards.built()))
    assert (status, check) == ("failure", "container")
    assert "--device /dev/dri/renderD128:/dev/dri/renderD129 " in fix


def test_a_container_that_was_given_another_devices_node(tmp_path: Path) -> None:
    boards = Boards(
        tmp_path,
        container=".dockerenv",
        node="dev/dri/renderD128",
        node_driver="panthor",
        driver=None,
    )
    assert ("failure", "container", CONTAINER_FLAGS) in bad(checked(boards.built()))


def test_a_container_joins_a_group_by_its_number(tmp_path: Path) -> None:
    boards = Boards(tmp_path, container=".dockerenv", in_group=False)
    fix = f"docker run --group-add {tmp_path.stat().st_gid} ..."
    assert bad(checked(boards.built())) == [("failure", "device", fix)]


@pytest.mark.parametrize(
    ("name", "governor", "mhz", "limited"),
    [
        ("CPU 0-3", "ondemand", 408, False),
        ("CPU 0-3", "performance", 1700, False),  # it may have been read while it rose
        ("CPU 0-3", "powersave", 1800, True),
        ("NPU", "rknpu_ondemand", 300, False),  # it is idle
        ("NPU", "userspace", 300, True),
        ("NPU", "userspace", 1800, False),
        ("DDR", "powersave", 528, True),
    ],
)
def test_which_clocks_are_limited(
    tmp_path: Path, name: str, governor: str, mhz: int, limited: bool
) -> None:
    clock = Clock(name=name, mhz=mhz, highest_mhz=1800, governor=governor)
    found = clocks(replace(Boards(tmp_path).built(), clocks=(clock,)))
    assert found is not None
    assert (found.status is Status.WARNING) is limited


def test_a_machine_without_clocks_is_not_checked_for_them(tmp_path: Path) -> None:
    assert clocks(replace(Boards(tmp_path).built(), clocks=())) is None
