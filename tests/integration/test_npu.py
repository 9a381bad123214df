"""A farm on an NPU's runtime, here a fake of the vendor's package: every fault, as a user sees it.

Each test also looks at the scores of what was classified: none may be those of another image.
"""

from __future__ import annotations

import itertools
import json
import os
import struct
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from farm.api import Farm
from farm.config.schema import FarmConfig
from farm.doctor.npu_self_test import self_test
from farm.errors import BadCoreError, ConfigError, NoWorkersError, StartError
from farm.results.result import Result
from tests.helpers.programs import command, missing
from tests.helpers.support import VENDOR, children_of, expected_of_the_fake
from tests.helpers.told import Told


@pytest.fixture(autouse=True)
def vendor(monkeypatch: pytest.MonkeyPatch, run_dirs: Path) -> None:
    monkeypatch.setenv("PYTHONPATH", str(VENDOR))
    assert run_dirs


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.rknn"
    path.write_text("{}", encoding="utf-8")
    return path


def npu(model: Path, fault: str = "", **changes: Any) -> FarmConfig:
    """A farm with a worker on each NPU core of an rk3588, whose model has `fault`."""
    if fault:
        model.write_text(json.dumps({"fault": fault}), encoding="utf-8")
    values = {"platform": "rk3588", "runtime": "rknn", "model": model, "cpu": "all", "size": 3}
    values |= changes
    return FarmConfig.model_validate(values)


def classify(farm: Farm, images: list[Path]) -> list[Result]:
    """Each image has one result; the scores of those that are classified are its own."""
    results = list(farm.classify(images))
    assert Counter(result.path for result in results) == Counter(map(str, images))
    expected = {str(image): expected_of_the_fake(image) for image in set(images)}
    for result in results:
        if result.top5 is not None and result.path is not None:
            assert [(p.class_id, p.score) for p in result.top5] == expected[result.path]
    return results


def workers_of(results: list[Result]) -> set[int]:
    assert all(result.error is None for result in results)
    return {result.worker for result in results}


def refused(config: FarmConfig) -> str:
    """Start a farm that must not come up; gives the reason, in which all it told is repeated."""
    told = Told()
    with pytest.raises(StartError) as caught, Farm(config, log=told):
        pass
    assert told.records
    assert children_of(os.getpid()) == []
    return str(caught.value)


def told_of_core(told: Told, core: int) -> bool:
    """Whether there is one line about the core, in which all the others are named."""
    lines = told.of("npu_core_left_out", core)
    rest = ", ".join(str(other) for other in range(3) if other != core)
    return len(lines) == 1 and rest in lines[0]


def test_the_load_of_a_real_npu_is_what_its_kernel_tells(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("farm.hardware.sensors.npu_load", lambda: (0.5, 0.25, 0.0))
    with Farm(npu(model)) as farm:
        assert farm.npu_busy_seconds() is None
        assert farm.npu_load() == (0.5, 0.25, 0.0)


def test_every_core_does_its_share_and_no_image_gets_the_scores_of_another(
    model: Path, renders: list[Path]
) -> None:
    model.write_text('{"ms": 3}', encoding="utf-8")
    told = Told()
    with Farm(npu(model), log=told) as farm:
        results = classify(farm, renders)
    assert workers_of(results) == {0, 1, 2}  # how evenly is up to the machine's load
    assert [line for line in told if not line.startswith("cpu:")] == []


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (
            "run@2",
            "RKNNLite.run returned -1 (librknnrt: failed to submit!, op id: 1, flags: 0x5)",
        ),
        (
            "run-stuck@2",
            "RKNNLite.run returned -1 (librknnrt: failed to submit!, op id: 1, flags: 0x5)",
        ),
        ("run-segv@2", "SIGSEGV in "),
        ("init-segv@2", "SIGSEGV in RKNNLite.init_runtime(core_mask=4)"),
        (
            "init@2",
            "RKNNLite.init_runtime(core_mask=4) returned -1: Exception: Unsupported run platform",
        ),
        (
            "not-finite@2",
            "finite",
        ),
        ("no-outputs@2", "RKNNLite.get_outputs"),
    ],
)
def test_a_core_that_fails_is_left_out_and_said(
    model: Path, renders: list[Path], fault: str, reason: str
) -> None:
    told = Told()
    with Farm(npu(model, fault, drain_seconds=1), log=told) as farm:
        assert workers_of(classify(farm, renders)) == {0, 1}
        assert farm.bad_cores == (2,)
    (failed,) = told.of("worker_start_failed", 2)
    assert reason in failed
    assert told_of_core(told, 2)


@pytest.mark.parametrize(
    ("fault", "limit", "step"),
    [
        ("run-hang@1", "self_test_seconds", "the self-test"),
        ("init-hang@1", "start_seconds", "RKNNLite.init_runtime(core_mask=2)"),
    ],
)
def test_a_core_that_hangs_is_left_out_and_its_worker_killed(
    model: Path, renders: list[Path], fault: str, limit: str, step: str
) -> None:
    told = Told()
    # Long enough for the other two on a busy machine.
    with Farm(npu(model, fault, **{limit: 8}), log=told) as farm:
        assert workers_of(classify(farm, renders)) == {0, 2}
    (failed,) = told.of("worker_start_failed", 1)
    assert missing((step, "8 s"), failed) == []
    assert told_of_core(told, 1)
    assert children_of(os.getpid()) == []


def test_a_worker_that_grows_too_big_is_replaced_between_batches(
    model: Path, renders: list[Path]
) -> None:
    model.write_text('{"leak_mb": 4, "ms": 2}', encoding="utf-8")
    told = Told()
    with Farm(npu(model, size=1, max_worker_mb=250), log=told) as farm:
        while not told.of("worker_replaced", 0):
            assert workers_of(classify(farm, renders)) == {0}
        assert workers_of(classify(farm, renders)) == {0}
        assert farm.losses == 0
    assert "250 MB" in told.of("worker_replaced", 0)[0]


def test_two_workers_on_a_bad_core_give_its_reason_once(model: Path) -> None:
    told = Told()
    with Farm(npu(model, "run@0", size=6), log=told):
        pass
    starts = told.of("worker_start_failed")
    assert ["failed to submit!" in line for line in starts] == [True, False]
    assert told_of_core(told, 0)


def test_a_bad_core_stops_the_start_where_the_config_says_so(model: Path) -> None:
    config = npu(model, "run@2", on_bad_core="fail")
    with (
        pytest.raises(BadCoreError, match=r"NPU core 2 .*on_bad_core.*failed to submit!"),
        Farm(config),
    ):
        pass
    assert children_of(os.getpid()) == []


def test_a_trouble_that_users_know_is_explained_once(model: Path) -> None:
    told = Told()
    with Farm(npu(model, "run@0", size=6), log=told):
        pass
    (explained,) = told.of("known_error")
    assert missing(("0.9.0", "0.9.5", "sudo apt update"), explained) == []


def test_a_model_that_says_it_is_for_another_soc_is_refused_before_anything_starts(
    model: Path,
) -> None:
    told = json.dumps({"target_platform": ["rk3566"], "version": "2.5.0"}).encode()
    sizes = struct.pack("<QQ40xQ", 6, 0, len(told))
    model.write_bytes(b"RKNN\0\0\0\0" + sizes + told)
    with pytest.raises(ConfigError, match=r"rk3566.* rk3588") as caught:
        Farm(npu(model)).__enter__()
    assert str(caught.value).endswith("MODEL.onnx --platform rk3588 --calibrate IMAGES")
    with pytest.raises(StartError, match="rknn_init, load model failed!"):
        Farm(npu(model, platform="rk3568", size=1)).__enter__()  # it is one of rk3566's family


@pytest.mark.usefixtures("short_back_off")
def test_a_core_that_goes_bad_amid_a_run_is_given_up_and_its_share_goes_to_the_others(
    model: Path, renders: list[Path]
) -> None:
    told = Told()
    with Farm(npu(model, "run-2@1"), log=told) as farm:
        results = classify(farm, renders * 2)
        while not farm.bad_cores:
            results += classify(farm, renders[:20])
    assert told_of_core(told, 1)
    assert {result.worker for result in results if result.error is None} == {0, 2}


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("run-2-segv@1", "SIGSEGV"),
        ("run-2-hang@1", "rknnlite/api.py, line "),
        ("run-2@1", "RKNNLite.run returned -1 (librknnrt: failed to submit!"),
    ],
)
def test_a_job_that_fails_costs_no_image_and_gives_no_stale_scores(
    model: Path, renders: list[Path], fault: str, reason: str
) -> None:
    told = Told()
    with Farm(npu(model, fault, batch_seconds=3), log=told) as farm:
        assert workers_of(classify(farm, renders)) == {0, 2}
        while not any(reason in line for line in told.of("worker_died", 1)):
            assert workers_of(classify(farm, renders[:3])) <= {0, 2}


def test_a_model_for_another_soc_is_refused_in_the_librarys_words(model: Path) -> None:
    model.write_text('{"soc": "rk3566"}', encoding="utf-8")
    reason = refused(npu(model))
    assert "RKNN_ERR_MODEL_INVALID" in reason
    assert "the model is for rk3566, not rk3588" in reason


def test_a_damaged_model_is_refused(model: Path) -> None:
    model.write_bytes(b"RKNN\0\0 and then nothing")
    assert "rknn_init, load model failed!" in refused(npu(model))


def test_a_mask_that_the_soc_does_not_have_leaves_the_core_out(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_SOC", "rk3576")
    model.write_text('{"soc": "rk3576"}', encoding="utf-8")
    told = Told()
    with Farm(npu(model), log=told):
        pass
    assert any("The core mode 4 is not supported" in line for line in told)
    assert told_of_core(told, 2)


def test_on_one_core_socs_no_mask_is_set(
    model: Path, renders: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_SOC", "rk3566")
    model.write_text('{"soc": "rk3566"}', encoding="utf-8")
    with Farm(npu(model, platform="rk3566", size=2)) as farm:
        assert workers_of(classify(farm, renders)) == {0, 1}


def test_an_input_of_another_size_than_the_models_is_refused(model: Path) -> None:
    config = npu(model, input={"width": 100})
    assert missing(("input.width", "100", "224"), refused(config)) == []


@pytest.mark.usefixtures("short_back_off")
def test_workers_that_all_fail_in_their_first_batch_end_the_run(
    model: Path, renders: list[Path]
) -> None:
    results: list[Result] = []
    with Farm(npu(model, "run-2", size=1)) as farm:
        classified = farm.classify(itertools.cycle(renders))
        with pytest.raises(NoWorkersError, match=r"RKNNLite\.run returned -1"):
            results.extend(classified)
    assert all(result.top5 is None for result in results)


def test_the_vendors_prints_never_reach_standard_output(model: Path, renders: list[Path]) -> None:
    arguments = ["configs/rk3588.yaml", "--runtime", "rknn", "-m", str(model), "-c", "all"]
    done = command(*arguments, "-d", str(renders[0].parent))
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == len(renders)
    assert "fake vendor" not in done.stdout + done.stderr


def test_the_self_test_tells_of_each_core_by_itself(model: Path) -> None:
    first, second, third = self_test(npu(model, "run@1", size=6, on_bad_core="fail"))
    assert (first.npu_core, first.ok, first.reason) == (0, True, "")
    assert first.ms is not None
    assert first.ms >= 0
    assert (second.npu_core, second.ok, second.ms) == (1, False, None)
    assert "failed to submit!" in second.reason
    assert (third.npu_core, third.ok) == (2, True)
    assert children_of(os.getpid()) == []


def test_the_self_test_tells_of_cores_that_all_fail(model: Path) -> None:
    tests = self_test(npu(model, "init"))
    assert [test.ok for test in tests] == [False] * 3
    assert all("Unsupported run platform" in test.reason for test in tests)
