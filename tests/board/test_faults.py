"""Every fault that the simulated library can make: what its user is told, and no wrong result.

It takes its faults from the model: a line of text in place of a real one.
"""

from __future__ import annotations

import os
import struct
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from farm.api import Farm
from farm.config.schema import FarmConfig
from farm.errors import ConfigError, FarmError, StartError
from farm.hardware.platforms import Platform
from farm.results.result import Prediction
from farm.system.log import SILENT
from tests.board.conftest import EMULATED
from tests.helpers.programs import missing
from tests.helpers.support import children_of, worker_spec
from tests.helpers.told import Told
from workers.errors import RuntimeFailure
from workers.runtimes.rknn import RknnRuntime

pytestmark = pytest.mark.faults
LIMIT = 20 if EMULATED else 8  # seconds that a worker which is well may take at most
Answers = dict[str | None, tuple[Prediction, ...] | None]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return tmp_path / "model.rknn"


def npu(board: Platform, model: Path, **changes: Any) -> FarmConfig:
    values = {
        "platform": board.name,
        "runtime": "rknn",
        "model": model,
        "cpu": "all",
        "size": max(2, board.npu_cores),
        **changes,
    }
    return FarmConfig.model_validate(values)


def line(model: Path, settings: str) -> None:
    model.write_text(f"simnpu us=1000 out=1x36 {settings}\n", encoding="utf-8")


def answers(farm: Farm, images: list[Path]) -> Answers:
    results = list(farm.classify(images))
    assert Counter(result.path for result in results) == Counter(map(str, images))
    assert all(result.error is None for result in results)
    return {result.path: result.top5 for result in results}


def compared(board: Platform, model: Path, images: list[Path], fault: str, **limits: Any) -> Told:
    """Classify with a fault and without: the answers are the same; return what was told."""
    line(model, f"fault={fault}")
    told = Told()
    with Farm(npu(board, model, **limits), log=told) as farm:
        found = answers(farm, images)
        for _ in range(100):  # what killed a worker is told when it is gone, maybe after the run
            if told.of("worker_died") or told.of("worker_start_failed"):
                break
            assert answers(farm, images[:3]).items() <= found.items()
    line(model, "")
    with Farm(npu(board, model)) as farm:
        assert answers(farm, images) == found
    assert len(set(found.values())) > len(images) // 2  # scores do depend on the image
    return told


def refused(config: FarmConfig, kind: type[FarmError] = StartError) -> str:
    with pytest.raises(kind) as caught, Farm(config, log=SILENT):
        pass
    assert children_of(os.getpid()) == []
    return str(caught.value)


def test_a_bad_model_is_refused_in_the_librarys_words(board: Platform, model: Path) -> None:
    model.write_bytes(b"no model at all")
    said = refused(npu(board, model))
    assert "RKNNLite.init_runtime(" in said
    assert "the model is not an RKNN model" in said


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"", "empty"), (struct.pack("<8sQQ100x", b"RKNN", 6, 100_000), "truncated")],
    ids=["empty", "cut"],
)
def test_what_is_no_whole_model_is_refused_before_any_worker_starts(
    board: Platform, model: Path, data: bytes, reason: str
) -> None:
    model.write_bytes(data)
    assert missing((str(model), reason), refused(npu(board, model), ConfigError)) == []


def test_a_model_for_another_soc_is_refused(board: Platform, model: Path) -> None:
    other = "rk3562" if board.name != "rk3562" else "rk3588"
    line(model, f"soc={other}")
    said = refused(npu(board, model))
    assert "RKNN_ERR_MODEL_INVALID" in said
    assert missing((other, board.name), said) == []


def test_too_little_npu_memory_costs_the_workers_that_find_none(
    board: Platform, model: Path, fifty: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIMNPU_TOTAL_MB", "12")
    line(model, "mb=5")
    told = Told()
    with Farm(npu(board, model, size=3, allow_uneven=True), log=told) as farm:
        answers(farm, fifty)
    (failed,) = told.of("worker_start_failed")
    assert "RKNNLite.init_runtime(" in failed
    assert "memory" in " ".join(told).lower()


def test_a_mask_of_cores_that_are_not_there_is_refused_and_released(
    board: Platform, model: Path, stand_in: Path | None
) -> None:
    assert board
    if stand_in is not None:
        pytest.skip("this process has no vendor's package: the workers do")
    line(model, "")
    with pytest.raises(RuntimeFailure, match=r"init_runtime\(core_mask=9\) returned -1: "):
        RknnRuntime(worker_spec(runtime="rknn", model=str(model), core_mask=9))


@pytest.mark.short
def test_a_core_whose_jobs_fail_is_left_out(
    board: Platform, model: Path, fifty: list[Path]
) -> None:
    if board.npu_cores == 1:
        line(model, "fault=fail@every=1")
        assert "RKNNLite.run returned -1" in refused(npu(board, model))
        return
    told = compared(board, model, fifty, "fail@core=1")
    assert "RKNNLite.run" in told.of("worker_start_failed", 1)[0]
    assert len(told.of("npu_core_left_out", 1)) == 1


def test_a_job_that_fails_amid_a_run_never_gives_the_outputs_of_the_job_before(
    board: Platform, model: Path, fifty: list[Path]
) -> None:
    told = compared(board, model, fifty, "fail@nth=20")
    assert any("RKNNLite.run returned -1" in line for line in told.of("worker_died"))


def test_a_job_that_the_driver_gives_up_after_a_while_is_the_same(
    board: Platform, model: Path, fifty: list[Path]
) -> None:
    told = compared(board, model, fifty, "fail:1000@nth=20")
    assert any("RKNNLite.run returned -1" in line for line in told.of("worker_died"))


def test_a_core_that_hangs_in_its_first_job_is_left_out(
    board: Platform, model: Path, fifty: list[Path]
) -> None:
    if board.npu_cores == 1:
        line(model, "fault=hang@run=1")
        assert f"{LIMIT} s" in refused(npu(board, model, self_test_seconds=LIMIT))
        return
    told = compared(board, model, fifty, "hang@core=1", self_test_seconds=LIMIT)
    assert f"{LIMIT} s" in told.of("worker_start_failed", 1)[0]
    assert len(told.of("npu_core_left_out", 1)) == 1


@pytest.mark.short
def test_a_worker_that_hangs_amid_a_run_is_replaced(
    board: Platform, model: Path, fifty: list[Path]
) -> None:
    told = compared(board, model, fifty, "hang@nth=20", batch_seconds=LIMIT)
    assert any(f"{LIMIT} s" in line for line in told.of("worker_died"))


def test_a_library_that_dies_at_the_start_is_named_with_the_call(
    board: Platform, model: Path, fifty: list[Path]
) -> None:
    told = compared(board, model, fifty, "segv@init@nth=1")
    calls = [line for line in told if "SIGSEGV in RKNNLite.init_runtime(" in line]
    assert len(calls) == 1


@pytest.mark.short
def test_an_abort_at_the_start_is_named_with_the_call(board: Platform, model: Path) -> None:
    line(model, "fault=abort@init")
    assert "SIGABRT in RKNNLite.init_runtime(" in refused(npu(board, model))


def test_a_library_that_dies_in_a_job_costs_no_image(
    board: Platform, model: Path, fifty: list[Path]
) -> None:
    told = compared(board, model, fifty, "segv@nth=20")
    assert any("SIGSEGV" in line for line in told.of("worker_died"))


@pytest.mark.short
def test_an_input_of_another_size_than_the_models_is_refused(board: Platform, model: Path) -> None:
    line(model, "in=1x96x96x3")
    said = refused(npu(board, model, input={"width": 224}))
    assert missing(("input.width", "224", "96"), said) == []


def test_a_model_with_several_outputs_is_refused(board: Platform, model: Path) -> None:
    model.write_text("simnpu out=1x10,1x20\n", encoding="utf-8")
    assert missing(("1", "2 outputs"), refused(npu(board, model))) == []
