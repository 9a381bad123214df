"""Which checks run on which machine: boards, PCs, containers; with a config and without."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from farm.config.schema import FarmConfig
from farm.doctor.board import Board
from farm.doctor.doctor import Target
from farm.doctor.finding import Finding, Report, Status, worst
from farm.doctor.npu_self_test import CoreTest
from farm.errors import StartError
from farm.hardware.container import DOCKER
from farm.hardware.platforms import SOCS, Machine
from tests.helpers.boards import Boards, bad
from tests.helpers.programs import NPU_FARM
from workers.runtimes.base import INSTALL_ONNX
from workers.shell import recompile

BOARD_CHECKS = ["SoC", "driver", "device", "library", "toolkit", "load", "clocks", "resize"]


@pytest.fixture(autouse=True)
def on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shell finds `npu-farm`, so that commands stay as they are written."""
    monkeypatch.setattr("shutil.which", lambda _name: NPU_FARM)


def all_cores(config: FarmConfig) -> tuple[CoreTest, ...]:
    cores = SOCS[config.platform].npu_cores
    return tuple(
        CoreTest(npu_core=core, ok=True, ms=2.25, reason="", classes=1000) for core in range(cores)
    )


def once(_config: FarmConfig) -> tuple[CoreTest, ...]:
    return (CoreTest(npu_core=0, ok=True, ms=2.25, reason="", classes=1000),)


def never(_config: FarmConfig) -> tuple[CoreTest, ...]:
    raise AssertionError("the NPU must not be tested")


def examined(board: Board, config: FarmConfig | None = None) -> list[Finding]:
    return Target(board, config, all_cores).examine()


def checks(findings: list[Finding]) -> list[str]:
    return [f.check for f in findings]


@pytest.mark.parametrize("soc", SOCS)
def test_a_healthy_board(tmp_path: Path, soc: str, snapshot: SnapshotAssertion) -> None:
    boards = Boards(tmp_path, soc=soc)
    found = examined(boards.built(), boards.config())
    cores = [f"NPU core {core}" for core in range(SOCS[soc].npu_cores)]
    assert checks(found) == [*BOARD_CHECKS, "model", "memory", *cores]
    assert worst(found) is Status.OK
    assert Report(tuple(found)).to_text().replace(str(tmp_path), "/board") == snapshot


def test_without_a_config_only_the_board_is_checked(tmp_path: Path) -> None:
    target = Target(Boards(tmp_path).built(), None, never)
    assert checks(target.examine()) == BOARD_CHECKS
    assert (target.hint() or "").endswith("npu-farm doctor rk3588")


@pytest.mark.parametrize("runtime", ["onnx", "rknn"])
def test_what_makes_a_resize_slow_is_a_warning_with_its_fix(tmp_path: Path, runtime: str) -> None:
    boards = Boards(tmp_path, onnxruntime="1.23.0", resize=("no compiler", "pip install x"))
    found = Target(boards.built(), boards.config(runtime=runtime), all_cores).examine()
    assert ("warning", "resize", "pip install x") in bad(found)
    assert [
        f.message for f in found if f.check == "resize" and "no compiler" not in f.message
    ] == []


@pytest.mark.parametrize(
    ("soc", "fix", "status"),
    [
        ("rk3588", recompile(), Status.WARNING),
        (None, recompile(), Status.OK),
        (None, "pip install opencv", Status.WARNING),  # it may not even be there
    ],
)
def test_a_pc_without_a_compiler_is_well(
    tmp_path: Path, soc: str | None, fix: str, status: Status
) -> None:
    board = Boards(tmp_path, onnxruntime="1.23.0", resize=("no compiler", fix)).built()
    target = Target(board if soc else on_a_pc(board), None, never)
    (found,) = [each for each in target.examine() if each.check == "resize"]
    assert (found.status, found.fix) == (status, fix)


def test_with_a_config_there_is_no_hint(tmp_path: Path) -> None:
    boards = Boards(tmp_path)
    assert Target(boards.built(), boards.config(), never).hint() is None


def test_an_npu_that_is_disabled_fails_before_the_config(tmp_path: Path) -> None:
    boards = Boards(tmp_path, driver=None, node=None)
    found = Target(boards.built(), boards.config(), never).examine()
    assert [check for _, check, _ in bad(found)] == ["driver", "device"]
    assert checks(found)[-1] == "NPU cores"


def on_a_pc(board: Board) -> Board:
    caller = replace(board.caller, arch="x86_64", packages={"onnxruntime": "1.23.0"})
    machine = Machine(soc=None, cpus=(0, 1), capacities={})
    return replace(board, machine=machine, caller=caller, compatible=None, model=None, clocks=())


@pytest.fixture
def pc(tmp_path: Path) -> Board:
    return on_a_pc(Boards(tmp_path, driver=None, node=None, library=None).built())


def test_a_pc_has_no_npu_and_needs_none(pc: Board, snapshot: SnapshotAssertion) -> None:
    target = Target(pc, None, never)
    found = target.examine()
    assert [(f.check, f.status) for f in found] == [
        ("SoC", Status.NOT_HERE),
        ("NPU", Status.NOT_HERE),
        ("runtime", Status.OK),
        ("resize", Status.OK),
    ]
    assert worst(found) is Status.OK
    assert target.hint() is None
    assert Report(tuple(found)).to_text() == snapshot


def test_a_pc_on_which_nothing_can_run_a_model_is_a_failure(pc: Board) -> None:
    bare = replace(pc, caller=replace(pc.caller, packages={}))
    assert bad(Target(bare, None, never).examine()) == [("failure", "runtime", INSTALL_ONNX)]


@pytest.mark.parametrize(
    ("names", "classes", "failed"),
    [
        ("a\nb\n", 2, []),
        ("a\nb\n", 3, ["labels"]),
        ("a\n\nb\n", 2, ["labels"]),  # an empty line is no name
        (None, 2, ["labels"]),
        ("", 2, ["labels"]),
    ],
)
def test_the_labels_are_read_and_have_to_be_as_many_as_the_classes(
    pc: Board, tmp_path: Path, names: str | None, classes: int, failed: list[str]
) -> None:
    model, labels = tmp_path / "net.onnx", tmp_path / "labels.txt"
    model.write_bytes(b"onnx")
    if names is not None:
        labels.write_text(names)
    config = FarmConfig(platform="host", model=model, labels=labels)
    tested = CoreTest(npu_core=0, ok=True, ms=2.25, reason="", classes=classes)
    found = bad(Target(pc, config, lambda _config: (tested,)).examine())
    assert [check for _, check, _ in found] == failed
    assert [fix for _, _, fix in found if "--labels" not in fix] == []


def test_a_container_on_a_pc_is_a_pc(pc: Board) -> None:
    assert bad(Target(replace(pc, container=DOCKER), None, never).examine()) == []


def test_a_container_on_aarch64_is_a_board(pc: Board) -> None:
    caller = replace(pc.caller, arch="aarch64")
    target = Target(replace(pc, container=DOCKER, caller=caller), None, never)
    assert target.needs_npu()


def test_a_boards_config_on_a_pc_runs_on_its_cpu(
    pc: Board, tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    model = tmp_path / "net.onnx"
    model.write_bytes(b"onnx")
    found = Target(pc, FarmConfig(platform="rk3588", model=model), once).examine()
    assert worst(found) is Status.OK
    assert checks(found) == [
        "SoC",
        "NPU",
        "config",
        "resize",
        "runtime",
        "model",
        "memory",
        "inference",
    ]
    assert Report(tuple(found)).to_text().replace(str(tmp_path), "/pc") == snapshot


def test_a_model_that_does_not_run_on_the_cpu_is_a_failure(pc: Board, tmp_path: Path) -> None:
    def refused(_config: FarmConfig) -> tuple[CoreTest, ...]:
        return (CoreTest(npu_core=0, ok=False, ms=None, reason="it has 2 inputs and 1 outputs"),)

    model = tmp_path / "net.onnx"
    model.write_bytes(b"onnx")
    found = Target(pc, FarmConfig(platform="host", model=model), refused).examine()
    assert bad(found)[0][:2] == ("failure", "inference")
    assert found[-1].message == "it has 2 inputs and 1 outputs"


@pytest.mark.parametrize(
    ("compatible", "status"),
    [
        (("rockchip,rk3399pro-evb", "rockchip,rk3399pro"), Status.WARNING),
        (("rockchip,rv1126b-evb", "rockchip,rv1126b"), Status.WARNING),
        (("vendor,board", "rockchip,rk3688"), Status.WARNING),
        (("radxa,e20c", "rockchip,rk3528"), Status.NOT_HERE),  # there is no NPU to miss
        (("raspberrypi,5-model-b", "brcm,bcm2712"), Status.NOT_HERE),
    ],
)
def test_an_unsupported_soc_of_rockchip_is_no_pc(
    tmp_path: Path, compatible: tuple[str, ...], status: Status
) -> None:
    boards = Boards(tmp_path, compatible=compatible, driver=None, node=None, library=None)
    found = Target(boards.built(), None, never).examine()
    assert (found[0].check, found[0].status) == ("SoC", status)
    if compatible[-1].startswith("rockchip"):
        assert compatible[-1].removeprefix("rockchip,") in found[0].message
        assert "rk3588" in found[0].message  # what is supported


def test_the_npu_of_an_unsupported_soc_cannot_be_asked_for(tmp_path: Path) -> None:
    boards = Boards(tmp_path, compatible=("rockchip,rk3399pro",), driver=None, node=None)
    config = boards.config(runtime="rknn")
    found = Target(boards.built(), config, never).examine()
    fix = "npu-farm doctor host   # on the CPU"
    assert bad(found) == [("failure", "SoC", fix)]
    assert "rk3399pro" in found[0].message


def test_a_simulated_farm_needs_nothing(pc: Board) -> None:
    found = Target(pc, FarmConfig(platform="rk3588", runtime="simulated"), never).examine()
    assert bad(found) == []
    assert checks(found)[-1] == "runtime"


def test_a_pc_lacks_the_npu_that_a_config_insists_on(pc: Board) -> None:
    config = FarmConfig(platform="rk3588", runtime="rknn")
    found = bad(Target(pc, config, never).examine())
    assert [check for _, check, _ in found] == ["SoC", "config"]
    assert found[0][2] == "npu-farm run CONFIG --runtime simulated"


def test_a_board_whose_config_is_for_any_machine(tmp_path: Path) -> None:
    boards = Boards(tmp_path, onnxruntime=None)
    model = boards.write("net.onnx", b"onnx")
    config = FarmConfig(platform="host", model=model, size=2)
    found = Target(boards.built(), config, never).examine()
    assert checks(found) == ["SoC", "clocks", "resize", "runtime", "model", "memory", "inference"]
    assert bad(found) == [("failure", "runtime", INSTALL_ONNX)]


def test_a_model_for_the_cpu_that_does_not_exist(pc: Board, tmp_path: Path) -> None:
    config = FarmConfig(platform="host", model=tmp_path / "net.onnx")
    fix = "npu-farm doctor CONFIG -m MODEL.onnx"
    assert bad(Target(pc, config, never).examine()) == [("failure", "model", fix)]


def test_a_self_test_that_cannot_start_is_a_failure(tmp_path: Path) -> None:
    def broken(_config: FarmConfig) -> tuple[CoreTest, ...]:
        raise StartError("it is Tuesday")

    boards = Boards(tmp_path)
    found = Target(boards.built(), boards.config(), broken).examine()
    assert bad(found) == [("failure", "self-test", "sudo dmesg | tail -n 30")]
    assert found[-1].message == "it is Tuesday"


def test_the_npu_is_tested_after_warnings_but_not_after_failures(tmp_path: Path) -> None:
    boards = Boards(tmp_path, cpu_governor="powersave")
    board, config = boards.built(), boards.config()
    assert checks(examined(board, config))[-1] == "NPU core 2"
    failed = Target(replace(board, library=None), config, never).examine()
    assert checks(failed)[-1] == "NPU cores"
