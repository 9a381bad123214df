"""What a config asks of a board: its SoC, its model and the memory it needs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from farm.doctor.config_checks import clocks
from farm.doctor.doctor import Target, examine
from farm.doctor.finding import Status
from farm.doctor.npu_self_test import CoreTest
from farm.hardware.known_errors import INSTALL_LIBRARY
from farm.hardware.sensors import Clock
from tests.helpers.boards import Boards, bad, library_bytes, rknn_bytes


def tried(_config: object) -> tuple[CoreTest, ...]:
    return ()


def troubles(boards: Boards, model: Path, **changes: Any) -> list[tuple[str, str, str, str]]:
    return bad(examine(Target(boards.built(), boards.config(model, **changes), tried)))


OTHER = "npu-farm convert MODEL.onnx --platform rk3588 --calibrate IMAGES   # on a PC"


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    # On an NPU, net.onnx stands for net-rk3588.rknn beside it.
    path = tmp_path / "net-rk3588.rknn"
    assert troubles(Boards(tmp_path), tmp_path / "net.onnx") == [
        ("failure", "model", f"{path}: no such file", OTHER)
    ]


def test_a_model_for_another_soc(tmp_path: Path) -> None:
    boards = Boards(tmp_path)
    path = boards.model("rk3576")
    assert troubles(boards, path) == [
        ("failure", "model", f"{path} is for rk3576, not for rk3588", OTHER)
    ]


@pytest.mark.parametrize(("soc", "target"), [("rk3568", "rk3566"), ("rk3566", "rk3568")])
def test_an_rk3566_runs_what_an_rk3568_runs(tmp_path: Path, soc: str, target: str) -> None:
    boards = Boards(tmp_path, soc=soc)
    assert troubles(boards, boards.model(target)) == []


@pytest.mark.parametrize(
    ("content", "what"),
    [(b"CRYPTRKN and more", "encrypted"), (rknn_bytes({})[:-3], "cut"), (b"simnpu us=1\n", "text")],
)
def test_a_model_that_tells_nothing(tmp_path: Path, content: bytes, what: str) -> None:
    boards = Boards(tmp_path)
    path = boards.write(f"{what}.rknn", content)
    assert troubles(boards, path) == [
        (
            "warning",
            "model",
            f"{path} does not tell its SoC: encrypted, cut, or no .rknn model",
            f"sha256sum {path}   # as where it was made?",
        )
    ]


def test_a_model_that_is_newer_than_the_library(tmp_path: Path) -> None:
    boards = Boards(tmp_path, library=library_bytes("2.0.0"))
    path = boards.model()
    said = f"{path}, for rk3588, made by toolkit 2.3.2"
    assert troubles(boards, path) == [
        (
            "warning",
            "model",
            f"{said}; librknnrt 2.0.0 is older: it may lack operators",
            INSTALL_LIBRARY,
        )
    ]


def test_a_model_that_the_library_does_not_run(tmp_path: Path) -> None:
    boards = Boards(tmp_path, library=library_bytes("1.4.0"), toolkit="1.4.0")
    path = boards.model()
    said = f"{path}, for rk3588, made by toolkit 2.3.2"
    assert troubles(boards, path) == [
        ("failure", "model", f"{said}: librknnrt 1.4.0 does not run it", INSTALL_LIBRARY)
    ]


@pytest.mark.parametrize("told", [None, "unknown"])
def test_a_version_that_is_not_told_is_not_judged(tmp_path: Path, told: str | None) -> None:
    boards = Boards(tmp_path)
    assert troubles(boards, boards.model(version=told)) == []


def test_a_config_for_another_soc(tmp_path: Path) -> None:
    boards = Boards(tmp_path)
    model = boards.model("rk3576")
    assert troubles(boards, model, platform="rk3576") == [
        (
            "failure",
            "config",
            "the config is for rk3576, this is an rk3588",
            "npu-farm doctor configs/rk3588.yaml",
        )
    ]


def test_a_config_for_a_soc_with_the_same_models(tmp_path: Path) -> None:
    boards = Boards(tmp_path, soc="rk3566")
    assert troubles(boards, boards.model(), platform="rk3568") == [
        (
            "warning",
            "config",
            "the config is for rk3568, this is an rk3566; both run the same models",
            "npu-farm doctor configs/rk3566.yaml",
        )
    ]


@pytest.mark.parametrize(
    ("size", "available_mb", "fitting"),
    [
        (3, 378, 2),  # 55 for the coordinator, 108 each: 379 are needed
        (9, 900, 6),  # seven would do, but six fill three cores evenly
        (3, 170, 1),
    ],
)
def test_memory_that_will_not_do(
    tmp_path: Path, size: int, available_mb: int, fitting: int
) -> None:
    boards = Boards(tmp_path, available_mb=available_mb)
    ((status, check, message, fix),) = troubles(boards, boards.model(), size=size, decoders=1)
    assert (status, check) == ("warning", "memory")
    assert message == (
        f"{size} workers need about {55 + size * 108} MB (computed), "
        f"{available_mb} MB are available"
    )
    assert fix == f"npu-farm run CONFIG -s {fitting}"


def test_memory_that_will_not_do_for_one_worker_is_not_mended_by_fewer(tmp_path: Path) -> None:
    boards = Boards(tmp_path, available_mb=100)
    ((status, _, message, fix),) = troubles(boards, boards.model(), size=3)
    assert (status, message.rpartition(": ")[2]) == ("warning", "not enough for one")
    assert fix == "ps -e -o rss,comm --sort=-rss | head"


def test_memory_for_workers_on_some_of_the_cores(tmp_path: Path) -> None:
    boards = Boards(tmp_path, available_mb=600)
    ((*_, fix),) = troubles(boards, boards.model(), size=6, npu_cores=(0, 2))
    assert fix == "npu-farm run CONFIG -s 4"


def test_memory_for_one_worker(tmp_path: Path) -> None:
    boards = Boards(tmp_path, available_mb=100)
    ((_, _, message, _),) = troubles(boards, boards.model(), size=1, decoders=1)
    assert message.startswith("1 worker needs about 163 MB ")


def test_a_big_model_and_more_decoders_need_more(tmp_path: Path) -> None:
    boards = Boards(tmp_path)
    path = boards.write("big.rknn", rknn_bytes({"target_platform": ["rk3588"]}, bytes(9_500_000)))
    config = boards.config(path, decoders=2)
    found = examine(Target(boards.built(), config, tried))
    (memory,) = [f for f in found if f.check == "memory"]
    assert memory.status is Status.OK
    assert memory.message.startswith(f"3 workers need about {55 + 3 * (60 + 72 + 10 + 20)} MB ")


def test_a_machine_that_does_not_tell_its_memory_is_not_judged(tmp_path: Path) -> None:
    boards = Boards(tmp_path)
    board = replace(boards.built(), available_mb=None)
    found = examine(Target(board, boards.config(), tried))
    assert "memory" not in [f.check for f in found]


@pytest.mark.parametrize(
    ("name", "governor", "mhz", "held"),
    [
        ("CPU 0-3", "ondemand", 408, False),
        ("CPU 0-3", "performance", 1700, False),  # it may have been read while it rose
        ("CPU 0-3", "powersave", 1800, True),
        ("NPU", "rknpu_ondemand", 300, False),  # it rests
        ("NPU", "userspace", 300, True),
        ("NPU", "userspace", 1800, False),
        ("DDR", "powersave", 528, True),
    ],
)
def test_which_clocks_are_held_down(name: str, governor: str, mhz: int, held: bool) -> None:
    clock = Clock(name=name, mhz=mhz, highest_mhz=1800, governor=governor)
    found = clocks((clock,))
    assert found is not None
    assert (found.status is Status.WARNING) is held
