"""What a config needs on a board: its SoC, its model, its memory, its NPU cores."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from farm.doctor.config_checks import explained, inference
from farm.doctor.doctor import Target
from farm.doctor.finding import Finding, Status
from farm.doctor.npu_self_test import CoreTest
from farm.hardware import model_file
from farm.hardware.known_errors import INSTALL_LIBRARY, UPDATE_KERNEL
from farm.hardware.model_file import FETCH
from tests.helpers.boards import Boards, bad, library_bytes, rknn_bytes
from tests.helpers.support import ROOT

CONVERT = "npu-farm convert MODEL.onnx --platform rk3588 --calibrate IMAGES   # on a PC"
SUBMIT = "E RKNN: [09:18:11.878] failed to submit!, op id: 1, op name: Conv:/model.0/conv/Conv"


def checked(boards: Boards, model: Path, **changes: Any) -> list[Finding]:
    config = boards.config(model, **changes)
    return Target(boards.built(), config, lambda _config: ()).examine()


def found(boards: Boards, model: Path, **changes: Any) -> list[tuple[str, str, str]]:
    return bad(checked(boards, model, **changes))


def memory_of(boards: Boards, model: Path, **changes: Any) -> Finding:
    (memory,) = [f for f in checked(boards, model, **changes) if f.check == "memory"]
    return memory


def test_a_model_that_does_not_exist(tmp_path: Path) -> None:
    # On an NPU, net.onnx stands for net-rk3588.rknn beside it.
    boards = Boards(tmp_path)
    (failure,) = [f for f in checked(boards, tmp_path / "net.onnx") if f.check == "model"]
    assert (failure.status, failure.fix) == (Status.FAILURE, CONVERT)
    assert str(tmp_path / "net-rk3588.rknn") in failure.message


def test_a_model_is_named_with_its_size_and_digest(tmp_path: Path) -> None:
    boards = Boards(tmp_path)
    path = boards.model()
    (said,) = [f.message for f in checked(boards, path) if f.check == "model"]
    begin = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    assert said.startswith(f"{path}, {path.stat().st_size} B, SHA-256 {begin}, for rk3588, ")


def test_a_model_for_another_soc(tmp_path: Path) -> None:
    boards = Boards(tmp_path)
    assert found(boards, boards.model("rk3576")) == [("failure", "model", CONVERT)]


def test_a_model_that_is_no_classifier_by_its_file(tmp_path: Path) -> None:
    boards = Boards(tmp_path)
    tensors = [{"tensor_id": 0, "size": [1, 3, 8, 8]}, {"tensor_id": 1, "size": [1, 68, 18]}]
    ends = [{"left": "input", "right_tensor_id": 0}, {"left": "output", "right_tensor_id": 1}]
    says = {"target_platform": ["rk3588"], "norm_tensor": tensors, "graph": ends}
    path = boards.write("detector.rknn", rknn_bytes(says))
    (failure,) = [f for f in checked(boards, path) if f.check == "model"]
    assert failure.status is Status.FAILURE
    assert "1 x 68 x 18" in failure.message
    assert "--task detect" in failure.fix  # more likely than that it is of no use


@pytest.mark.parametrize(("soc", "target"), [("rk3568", "rk3566"), ("rk3566", "rk3568")])
def test_an_rk3566_runs_what_an_rk3568_runs(tmp_path: Path, soc: str, target: str) -> None:
    boards = Boards(tmp_path, soc=soc)
    assert found(boards, boards.model(target)) == []


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"CRYPTRKN".ljust(64), "encrypted"),
        (rknn_bytes({})[:-1], "cut"),
        (b"simnpu us=1\n", "text"),
    ],
)
def test_a_model_without_a_description(tmp_path: Path, content: bytes, what: str) -> None:
    boards = Boards(tmp_path)
    path = boards.write(f"{what}.rknn", content)
    fix = f"sha256sum {path}   # compare with the original"
    assert found(boards, path) == [("warning", "model", fix)]


@pytest.mark.parametrize(
    ("library", "expected"),
    [
        ("2.3.2", []),
        ("2.0.0", [("warning", "model", INSTALL_LIBRARY)]),
        ("1.4.0", [("failure", "model", INSTALL_LIBRARY)]),
    ],
)
def test_a_model_is_judged_by_the_librarys_version(
    tmp_path: Path, library: str, expected: list[tuple[str, str, str]]
) -> None:
    boards = Boards(tmp_path, library=library_bytes(library), toolkit=library)
    assert found(boards, boards.model()) == expected


@pytest.mark.parametrize("version", [None, "unknown"])
def test_an_unknown_version_is_accepted(tmp_path: Path, version: str | None) -> None:
    boards = Boards(tmp_path)
    assert found(boards, boards.model(version=version)) == []


def test_a_config_for_another_soc(tmp_path: Path) -> None:
    boards = Boards(tmp_path)
    assert found(boards, boards.model("rk3576"), platform="rk3576") == [
        ("failure", "config", "npu-farm doctor rk3588")
    ]


def test_a_config_for_a_soc_with_the_same_models(tmp_path: Path) -> None:
    boards = Boards(tmp_path, soc="rk3566")
    assert found(boards, boards.model(), platform="rk3568") == [
        ("warning", "config", "npu-farm doctor rk3566")
    ]


def test_how_problems_are_worded(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    boards = Boards(tmp_path)
    other, unreadable = boards.model("rk3576"), boards.write("text.rknn", b"simnpu us=1\n")
    older = Boards(tmp_path / "older", library=library_bytes("2.0.0"), toolkit="2.0.0")
    oldest = Boards(tmp_path / "oldest", library=library_bytes("1.4.0"), toolkit="1.4.0")
    sister = Boards(tmp_path / "sister", soc="rk3566")
    small = Boards(tmp_path / "small", available_mb=300)
    tiny = Boards(tmp_path / "tiny", available_mb=100)
    found = [
        *checked(boards, tmp_path / "net.onnx"),
        *checked(boards, other),
        *checked(boards, other, platform="rk3576"),
        *checked(boards, unreadable),
        *checked(older, older.model()),
        *checked(oldest, oldest.model()),
        *checked(sister, sister.model(), platform="rk3568"),
        *checked(small, small.model(), decoders=1),
        *checked(tiny, tiny.model(), decoders=1),
    ]
    lines = [f"{f.check}: {f.message}" for f in found if f.status is not Status.OK]
    assert "\n".join(lines).replace(str(tmp_path), "/board") == snapshot


@pytest.mark.parametrize(
    ("size", "available_mb", "fitting"),
    [
        (3, 378, 2),  # 55 for the coordinator, 108 each: 379 are needed
        (9, 900, 6),  # seven would do, but six fill three cores evenly
        (3, 170, 1),
    ],
)
def test_memory_that_is_too_small(
    tmp_path: Path, size: int, available_mb: int, fitting: int
) -> None:
    boards = Boards(tmp_path, available_mb=available_mb)
    memory = memory_of(boards, boards.model(), size=size, decoders=1)
    assert (memory.status, memory.fix) == (Status.WARNING, f"npu-farm run CONFIG -s {fitting}")
    assert f" {55 + size * 108} MB" in memory.message
    assert f" {available_mb} MB" in memory.message


def test_memory_that_just_suffices(tmp_path: Path) -> None:
    boards = Boards(tmp_path, available_mb=379)
    assert memory_of(boards, boards.model(), size=3, decoders=1).status is Status.OK


def test_where_one_worker_is_too_much_fewer_do_not_help(tmp_path: Path) -> None:
    boards = Boards(tmp_path, available_mb=100)
    fix = "ps -e -o rss,comm --sort=-rss | head"
    assert found(boards, boards.model(), size=3) == [("warning", "memory", fix)]


def test_memory_for_workers_on_some_of_the_cores(tmp_path: Path) -> None:
    boards = Boards(tmp_path, available_mb=600)
    memory = memory_of(boards, boards.model(), size=6, npu_cores=(0, 2))
    assert memory.fix == "npu-farm run CONFIG -s 4"


def test_a_big_model_and_more_decoders_need_more(tmp_path: Path) -> None:
    boards = Boards(tmp_path)
    path = boards.write("big.rknn", rknn_bytes({"target_platform": ["rk3588"]}, bytes(9_500_000)))
    memory = memory_of(boards, path, size=3, decoders=2)
    assert memory.status is Status.OK
    assert f" {55 + 3 * (60 + 72 + 10 + 20)} MB" in memory.message


def test_a_core_that_was_tested_has_its_time() -> None:
    passed = inference(
        "NPU core 2", CoreTest(npu_core=2, ok=True, ms=2.25, reason="", classes=1000), "rk3588"
    )
    assert (passed.check, passed.status) == ("NPU core 2", Status.OK)
    assert "2.2 ms" in passed.message


def test_a_detectors_family_is_said_as_it_may_be_another() -> None:
    test = CoreTest(npu_core=0, ok=True, ms=2.25, reason="", classes=80, family="yolov5")
    assert inference("NPU core 0", test, "rk3588").message.endswith(
        "80 classes, outputs read as yolov5"
    )
    plain = CoreTest(npu_core=0, ok=True, ms=2.25, reason="")
    assert inference("NPU core 0", plain, "rk3588").message == "one inference in 2.2 ms"


def test_a_known_failure_of_a_core_is_explained() -> None:
    test = CoreTest(npu_core=1, ok=False, ms=None, reason=SUBMIT)
    failed = inference("NPU core 1", test, "rk3588")
    assert bad([failed]) == [("failure", "NPU core 1", UPDATE_KERNEL)]
    assert failed.message.startswith(f"{SUBMIT}: ")


def test_an_unknown_failure_is_passed_on() -> None:
    assert explained("self-test", "it is Tuesday", "rk3588") == Finding(
        "self-test", Status.FAILURE, "it is Tuesday", "sudo dmesg | tail -n 30"
    )


def test_a_failure_on_the_cpu_is_not_one_of_the_npu() -> None:
    ((status, _, fix),) = bad([explained("inference", SUBMIT, None)])
    assert (status, fix) == ("failure", "npu-farm doctor CONFIG -m MODEL.onnx   # another model")


@pytest.mark.parametrize(
    ("content", "fix"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "git lfs pull"),
        (b"<!DOCTYPE html>\n<html>", FETCH),
        (b"", FETCH),
        (rknn_bytes({"target_platform": ["rk3588"]}, bytes(1000))[:500], FETCH),
        ((ROOT / "models" / "glyphs.onnx").read_bytes(), model_file.CONVERT),
    ],
)
def test_a_file_that_is_no_model_is_named_before_the_npu_is_tested(
    tmp_path: Path, content: bytes, fix: str
) -> None:
    boards = Boards(tmp_path)
    path = boards.write("net.rknn", content)
    findings = checked(boards, path)
    assert bad(findings) == [("failure", "model", fix)]
    assert findings[-1].check == "NPU cores"
