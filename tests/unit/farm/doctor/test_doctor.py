"""What `npu-farm doctor` says of whole boards: healthy ones, PCs, and one for each trouble."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from farm.config.schema import FarmConfig
from farm.doctor.board import Board
from farm.doctor.doctor import Target, as_json, examine, lines, more, naming
from farm.doctor.finding import Finding, Status, worst
from farm.doctor.npu_self_test import CoreTest
from farm.errors import StartError
from farm.hardware.known_errors import (
    CONTAINER_FLAGS,
    INSTALL_LIBRARY,
    INSTALL_TOOLKIT,
    NAME_RK3588S,
    UPDATE_KERNEL,
)
from farm.hardware.platforms import SOCS, Machine
from tests.helpers.boards import Boards, bad, library_bytes


@pytest.fixture(autouse=True)
def on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shell finds `npu-farm`, so that commands stay as they are written."""
    monkeypatch.setattr("shutil.which", lambda _name: "/usr/bin/npu-farm")


SPEEDS = {
    "rk3588": "CPU 0-3 1800 MHz (ondemand), CPU 4-7 2400 MHz (ondemand)",
    "rk3582": "CPU 0-3 1800 MHz (ondemand), CPU 4-5 2400 MHz (ondemand)",
    "rk3576": "CPU 0-3 2208 MHz (ondemand), CPU 4-7 2304 MHz (ondemand)",
}


def all_cores(config: FarmConfig) -> tuple[CoreTest, ...]:
    cores = SOCS[config.platform].npu_cores
    return tuple(CoreTest(npu_core=core, ok=True, ms=2.25, reason="") for core in range(cores))


def never(_config: FarmConfig) -> tuple[CoreTest, ...]:
    raise AssertionError("the NPU must not be tried")


def failing(reason: str) -> tuple[CoreTest, ...]:
    return (
        CoreTest(npu_core=0, ok=True, ms=2.0, reason=""),
        CoreTest(npu_core=1, ok=False, ms=None, reason=reason),
    )


def examined(board: Board, config: FarmConfig | None = None) -> list[Finding]:
    return examine(Target(board, config, all_cores))


@pytest.mark.parametrize("soc", SOCS)
def test_a_healthy_board(tmp_path: Path, soc: str) -> None:
    boards = Boards(tmp_path, soc=soc)
    board, model = boards.built(), boards.model()
    size = SOCS[soc].npu_cores
    workers = f"{size} workers need" if size > 1 else "1 worker needs"
    names = {
        "rk3588": "rk3588, Radxa ROCK 5B",
        "rk3582": "rk3582, Radxa E52C",
        "rk3576": "rk3576, ArmSoM Sige5",
        "rk3568": "rk3568, Radxa ROCK3 Model A",
        "rk3566": "rk3566, Radxa ZERO 3W",
        "rk3562": "rk3562, Rockchip RK3562 EVB",
    }
    cpus = SPEEDS.get(soc, "CPU 0-3 1800 MHz (ondemand)")
    target = SOCS[soc].model_platform
    each_mb = 72 + 36 * math.ceil(len(SOCS[soc].fast) / size)  # 36 for each decoder's photo
    assert lines(examined(board, boards.config(model))) == [
        f"ok       SoC         {names[soc]}",
        "ok       driver      RKNPU 0.9.8, kernel 6.1.75-vendor",
        "ok       device      /dev/dri/renderD129: this user may open it",
        "ok       library     /usr/lib/librknnrt.so 2.3.2",
        "ok       toolkit     rknn-toolkit-lite2 2.3.2",
        "ok       load        the NPU's load can be read",
        f"ok       clocks      {cpus}, NPU 300 of 1000 MHz (rknpu_ondemand)",
        f"ok       model       {model}, for {target}, made by toolkit 2.3.2",
        f"ok       memory      {workers} about {55 + size * each_mb} MB (computed), "
        "3500 MB are available",
        *(f"ok       NPU core {core}  one inference in 2.2 ms" for core in range(size)),
        "all is well",
    ]


def test_without_a_config_the_board_alone_is_looked_at(tmp_path: Path) -> None:
    board = Boards(tmp_path).built()
    found = examine(Target(board, None, never))
    assert [f.check for f in found] == [
        "SoC", "driver", "device", "library", "toolkit", "load", "clocks"
    ]  # fmt: skip
    assert worst(found) is Status.OK
    assert more(board) == (
        "for the model, the memory and every NPU core: npu-farm doctor configs/rk3588.yaml"
    )


RK3582 = ("radxa,rock-5c-lite", "rockchip,rk3582")
TROUBLES: dict[str, tuple[dict[str, Any], str, str, str, str]] = {
    "an rk3582 that the toolkit does not know": (
        {"soc": "rk3582", "compatible": RK3582},
        "failure",
        "SoC",
        "rk3582, Radxa E52C: rknn-toolkit-lite2 knows no rk3582, and the device tree names "
        "nothing else; as rk3588s it runs",
        NAME_RK3588S,
    ),
    "a driver that runs core 0 only": (
        {"driver": "0.9.3"},
        "warning",
        "driver",
        "RKNPU 0.9.3, kernel 6.1.75-vendor: drivers before 0.9.6 are known to "
        '"failed to submit" on all NPU cores but the first',
        UPDATE_KERNEL,
    ),
    "a driver older than the vendor recommends": (
        {"driver": "0.8.2"},
        "warning",
        "driver",
        "RKNPU 0.8.2, kernel 6.1.75-vendor: the vendor recommends 0.9.2 or later",
        UPDATE_KERNEL,
    ),
    "no rights on the render node": (
        {"in_group": False},
        "failure",
        "device",
        "/dev/dri/renderD129: mode 0660, group render: this user may not open it",
        "sudo usermod -aG render $USER   # then log in again",
    ),
    "a /dev/rknpu for root alone": (
        {"node": "dev/rknpu", "node_mode": 0o600},
        "failure",
        "device",
        "/dev/rknpu: mode 0600, group render: this user may not open it",
        """echo 'KERNEL=="rknpu", MODE="0660", GROUP="render"' | sudo tee """
        "/etc/udev/rules.d/99-rknpu.rules && sudo udevadm control --reload && "
        "sudo udevadm trigger",
    ),
    "render nodes of which none tells its driver": (
        {"in_group": False, "node_driver": None},
        "failure",
        "device",
        "/dev/dri/renderD129: mode 0660, group render: this user may not open it; "
        "which one is the NPU's is not told",
        "sudo usermod -aG render $USER   # then log in again",
    ),
    "only the GPU's render node": (
        {"node_driver": "panfrost"},
        "failure",
        "device",
        "neither a /dev/dri/renderD* of the NPU nor /dev/rknpu",
        "sudo dmesg | grep -i rknpu",
    ),
    "no library": (
        {"library": None},
        "failure",
        "library",
        "/usr/lib/librknnrt.so is missing; rknn-toolkit-lite2 looks nowhere else",
        INSTALL_LIBRARY,
    ),
    "a library for a PC": (
        {"library": library_bytes("2.3.2", machine=62)},
        "failure",
        "library",
        "/usr/lib/librknnrt.so is for x86-64; an aarch64 one is needed",
        INSTALL_LIBRARY,
    ),
    "a web page saved as the library": (
        {"library": b"<!DOCTYPE html>"},
        "failure",
        "library",
        "/usr/lib/librknnrt.so is no library; an aarch64 one is needed",
        INSTALL_LIBRARY,
    ),
    "no toolkit": (
        {"toolkit": None},
        "failure",
        "toolkit",
        "rknn-toolkit-lite2 is not installed here",
        INSTALL_TOOLKIT,
    ),
    "a library of another generation": (
        {"library": library_bytes("1.5.2")},
        "warning",
        "versions",
        "librknnrt 1.5.2 is a generation older than rknn-toolkit-lite2 2.3.2",
        INSTALL_LIBRARY,
    ),
    "CPUs that are held down": (
        {"cpu_governor": "powersave"},
        "warning",
        "clocks",
        "held down: CPU 0-3 1800 MHz (powersave), CPU 4-7 2400 MHz (powersave)",
        "echo performance | sudo tee /sys/devices/system/cpu/cpufreq/policy*/scaling_governor",
    ),
    "an NPU that is slow though it should not be": (
        {"npu_clock": ("performance", 600)},
        "warning",
        "clocks",
        "held down: NPU 600 of 1000 MHz (performance)",
        "head /sys/class/thermal/thermal_zone*/temp   # thousandths of a degree: too hot?",
    ),
    "an NPU that is held down": (
        {"npu_clock": ("userspace", 300)},
        "warning",
        "clocks",
        "held down: NPU 300 of 1000 MHz (userspace)",
        "echo performance | sudo tee /sys/class/devfreq/*npu*/governor",
    ),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_a_boards_trouble_is_named_with_its_fix(tmp_path: Path, name: str) -> None:
    changes, *expected = TROUBLES[name]
    boards = Boards(tmp_path, **changes)
    found = examine(Target(boards.built(), None, never))
    assert bad(found) == [tuple(expected)]
    assert worst(found).value == {"warning": 1, "failure": 2}[expected[0]]


def test_a_soc_with_one_core_does_not_mind_a_driver_for_one(tmp_path: Path) -> None:
    assert bad(examined(Boards(tmp_path, soc="rk3566", driver="0.9.3").built())) == []


def test_one_of_two_nodes_is_barred(tmp_path: Path) -> None:
    boards = Boards(tmp_path)
    boards.write("dev/rknpu", "").chmod(0o600)
    ((status, check, message, _),) = bad(examined(boards.built()))
    assert (status, check) == ("warning", "device")
    assert message.startswith("/dev/rknpu: mode 0600, ")


def test_an_acl_gives_what_the_mode_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("farm.doctor.board.has_acl", lambda _path: True)
    monkeypatch.setattr("os.access", lambda _path, _mode: True)
    assert bad(examined(Boards(tmp_path, in_group=False).built())) == []


def test_nobody_is_told_to_join_the_group_of_root(tmp_path: Path) -> None:
    board = Boards(tmp_path, in_group=False).built()
    of_root = replace(board, nodes=(replace(board.nodes[0], group="root"),))
    ((_, check, _, fix),) = bad(examined(of_root))
    assert check == "device"
    assert fix.startswith("""echo 'KERNEL=="renderD129", MODE="0660", GROUP="render"' | """)


def test_one_npu_node_that_is_on_will_do(tmp_path: Path) -> None:
    boards = Boards(tmp_path)
    boards.write("proc/device-tree/npu@fdab0000/status", "disabled\0")
    boards.write("proc/device-tree/npu@fdac0000/status", "okay\0")
    assert boards.built().npu_status == "okay"


def test_a_driver_whose_version_is_for_root_is_no_trouble(tmp_path: Path) -> None:
    found = examined(Boards(tmp_path, driver=None).built())
    assert lines(found)[1] == (
        "ok       driver   RKNPU is there, kernel 6.1.75-vendor; its version is for root only"
    )
    assert worst(found) is Status.OK


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("proc/device-tree/npu@fde40000/status", "disabled\0", "the device tree has the NPU off"),
        ("dev/accel/accel0", "", "the kernel's own NPU driver (/dev/accel) is none that"),
        ("nothing", "", "no NPU driver found"),
    ],
)
def test_a_board_without_the_vendors_driver(
    tmp_path: Path, file: str, content: str, reason: str
) -> None:
    boards = Boards(tmp_path, driver=None, node=None)
    boards.write(file, content)
    driver, device = bad(examine(Target(boards.built(), boards.config(), never)))
    assert driver[:2] == ("failure", "driver")
    assert driver[2].startswith(reason.replace("NPU off", "NPU switched off"))
    assert driver[3]
    assert device[:2] == ("failure", "device")


def test_an_unreadable_load_is_a_hint_and_no_more(tmp_path: Path) -> None:
    why = "no permission to read /sys/kernel/debug/rknpu/load; to allow it: sudo chmod ..."
    board = replace(Boards(tmp_path).built(), load_refusal=why)
    found = [f for f in examined(board) if f.check == "load"]
    assert found == [Finding("load", Status.OK, f"only needed to watch the NPU: {why}")]


def test_a_simulated_library_does_not_tell_its_version_and_need_not(tmp_path: Path) -> None:
    found = examined(Boards(tmp_path, library=library_bytes(None)).built())
    assert worst(found) is Status.OK
    assert lines(found)[3].endswith("/usr/lib/librknnrt.so; it does not tell its version")


def test_a_container_that_was_given_nothing(tmp_path: Path) -> None:
    boards = Boards(tmp_path, container=True, node=None, library=None)
    board = replace(
        boards.built(), compatible=None, machine=Machine(soc=None, cpus=(0,), capacities={})
    )
    found = bad(examine(Target(board, None, never)))
    assert (
        "failure",
        "container",
        "was not given /proc/device-tree/compatible, /dev/dri/renderD129, /usr/lib/librknnrt.so",
        CONTAINER_FLAGS,
    ) in found
    assert {check for _, check, _, _ in found} == {"SoC", "container", "device", "library"}


def test_a_container_needs_the_npu_under_the_toolkits_name(tmp_path: Path) -> None:
    boards = Boards(tmp_path, container=True, node="dev/dri/renderD128")
    ((status, check, message, fix),) = bad(examined(boards.built()))
    assert (status, check, message) == ("failure", "container", "was not given /dev/dri/renderD129")
    assert "--device /dev/dri/renderD128:/dev/dri/renderD129 " in fix


def test_a_container_that_was_given_another_devices_node_alone(tmp_path: Path) -> None:
    boards = Boards(
        tmp_path, container=True, node="dev/dri/renderD128", node_driver="panthor", driver=None
    )
    found = bad(examine(Target(boards.built(), None, never)))
    given = "was not given /dev/dri/renderD129"
    assert ("failure", "container", given, CONTAINER_FLAGS) in found


def test_a_container_joins_a_group_by_its_number(tmp_path: Path) -> None:
    boards = Boards(tmp_path, container=True, in_group=False)
    (found,) = bad(examined(boards.built()))
    gid = tmp_path.stat().st_gid
    assert found[1::2] == ("device", f"docker run --group-add {gid} ...")


def on_a_pc(board: Board) -> Board:
    caller = replace(board.caller, arch="x86_64", packages={"onnxruntime": "1.23.0"})
    return replace(
        board,
        machine=Machine(soc=None, cpus=(0, 1), capacities={}),
        caller=caller,
        compatible=None,
        model=None,
    )


@pytest.fixture
def pc(tmp_path: Path) -> Board:
    return on_a_pc(Boards(tmp_path, driver=None, node=None, library=None).built())


def test_a_pc_lacks_an_npu_and_that_is_fine(pc: Board) -> None:
    found = examine(Target(replace(pc, clocks=()), None, never))
    assert lines(found) == [
        "ok       SoC  none of Rockchip's: x86_64, no device tree",
        "ok       NPU  no NPU driver, NPU device node, /usr/lib/librknnrt.so, "
        "rknn-toolkit-lite2: an NPU needs them, configs/host.yaml does not",
        "all is well",
    ]
    assert more(pc) is None


def test_a_container_on_a_pc_is_a_pc(pc: Board) -> None:
    assert worst(examine(Target(replace(pc, container=True), None, never))) is Status.OK


def test_a_boards_config_on_a_pc_runs_on_its_cpu(pc: Board, tmp_path: Path) -> None:
    model = tmp_path / "net.onnx"
    model.write_bytes(b"onnx")
    config = FarmConfig(platform="rk3588", model=model)
    found = examine(Target(replace(pc, clocks=()), config, never))
    assert bad(naming(found, Path("my config.yaml"))) == [
        (
            "warning",
            "config",
            "the config is for rk3588; here the farm runs on the CPU (ONNX Runtime)",
            "npu-farm run 'my config.yaml' --runtime simulated   "
            "# make-believe answers, real images",
        )
    ]
    assert lines(found)[4:7] == [
        "ok       runtime  onnxruntime 1.23.0, on the CPU",
        f"ok       model    {model}",
        "ok       memory   3 workers need about 379 MB (computed), 3500 MB are available",
    ]


def test_a_simulated_farm_needs_nothing(pc: Board) -> None:
    found = examine(Target(pc, FarmConfig(platform="rk3588", runtime="simulated"), never))
    assert worst(found) is Status.OK
    assert found[-1].message == "simulated: real images, make-believe answers and times"


def test_an_npu_that_is_insisted_on_is_missed(pc: Board) -> None:
    config = FarmConfig(platform="rk3588", runtime="rknn")
    found = bad(examine(Target(pc, config, never)))
    assert [check for _, check, _, _ in found] == [
        "SoC", "driver", "device", "library", "toolkit", "config"
    ]  # fmt: skip
    assert found[-1][2] == "model: missing; name a model file in the config or with -m"


def test_a_board_whose_config_is_for_any_machine(tmp_path: Path) -> None:
    boards = Boards(tmp_path, onnxruntime=None)
    model = boards.write("net.onnx", b"onnx")
    config = FarmConfig(platform="host", model=model, size=2)
    found = examine(Target(boards.built(), config, never))
    assert found[0].message == "rk3588, Radxa ROCK 5B; the config does not use its NPU"
    assert bad(found) == [
        (
            "failure",
            "runtime",
            "onnxruntime is not installed",
            ".venv/bin/pip install onnxruntime",
        )
    ]


SUBMIT = "E RKNN: [09:18:11.878] failed to submit!, op id: 1, op name: Conv:/model.0/conv/Conv"


def test_a_core_that_fails_is_explained(tmp_path: Path) -> None:
    boards = Boards(tmp_path)
    patient = Target(boards.built(), boards.config(), lambda _config: failing(SUBMIT))
    ((status, check, message, fix),) = bad(examine(patient))
    assert (status, check, fix) == ("failure", "NPU core 1", UPDATE_KERNEL)
    assert message.startswith(f"{SUBMIT}: the NPU's driver failed a job; on cores 1 and 2")


def test_a_self_test_that_cannot_start_is_a_failure(tmp_path: Path) -> None:
    def broken(_config: FarmConfig) -> tuple[CoreTest, ...]:
        raise StartError("it is Tuesday")

    boards = Boards(tmp_path)
    found = bad(examine(Target(boards.built(), boards.config(), broken)))
    assert found == [("failure", "self-test", "it is Tuesday", "sudo dmesg | tail -n 30")]


def test_the_npu_is_tried_in_spite_of_warnings_but_not_of_failures(tmp_path: Path) -> None:
    boards = Boards(tmp_path, cpu_governor="powersave")
    board, config = boards.built(), boards.config()
    assert examined(board, config)[-1].check == "NPU core 2"
    examine(Target(replace(board, library=None), config, never))


def test_the_same_for_programs() -> None:
    found = [
        Finding("a", Status.OK, "fine"),
        Finding("b", Status.WARNING, "odd", "mend it"),
    ]
    assert json.loads(as_json(found)) == {
        "overall": "warning",
        "checks": [
            {"check": "a", "status": "ok", "message": "fine", "fix": None},
            {"check": "b", "status": "warning", "message": "odd", "fix": "mend it"},
        ],
    }


def test_what_a_terminal_would_obey_is_escaped() -> None:
    found = [Finding("a", Status.FAILURE, "\x1b[31mred", "rm\n-rf"), Finding("b", Status.OK, "")]
    assert lines([*found, *found]) == [
        "failure  a  \\x1b[31mred",
        "         fix: rm\\n-rf",
        "ok       b  ",
        "failure  a  \\x1b[31mred",
        "         fix: rm\\n-rf",
        "ok       b  ",
        "2 failures",
    ]


def test_a_fix_can_be_pasted_whatever_the_files_are_called(tmp_path: Path) -> None:
    boards = Boards(tmp_path)
    model = boards.write("my CONFIG.rknn", b"no model")
    found = examine(Target(boards.built(), boards.config(model), all_cores))
    (fix,) = [f.fix for f in naming(found, Path("my board.yaml")) if f.check == "model"]
    assert fix.startswith(f"sha256sum '{model}'   # ")
    plan = Finding("config", Status.FAILURE, "bad", "npu-farm plan CONFIG")
    assert naming([plan], Path("my board.yaml"))[0].fix == "npu-farm plan 'my board.yaml'"
