"""The make-believe NPU: cores that are taken for a time, and answers made of the pixels."""

from __future__ import annotations

import fcntl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.support import worker_spec
from workers.errors import RuntimeFailure
from workers.simulated import SimulatedRuntime, Timelines
from workers.spec import InputHint, SimulatedSpec, WorkerSpec

ROOT = Path(__file__).parents[2]
STEP = 2**-10  # seconds; a power of two, so that sums of it are exact
RESERVATIONS = 3000

RESERVE_OFTEN = f"""
import sys
from workers.simulated import Timelines
timelines = Timelines(sys.argv[1], 2)
print("ready", flush=True)
sys.stdin.readline()
for _ in range({RESERVATIONS}):
    timelines.reserve(1, {STEP})
"""
HANG_IN_RESERVE = """
import sys
from workers import simulated
timelines = simulated.Timelines(sys.argv[1], 2)
def hang():
    print("holding", flush=True)
    sys.stdin.readline()
simulated.time.monotonic = hang
timelines.reserve(0, 1.0)
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "npu")


@pytest.fixture
def timelines(path: str) -> Iterator[Timelines]:
    opened = Timelines(path, 2)
    yield opened
    opened.close()


def child(program: str, path: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, path],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def is_locked(path: str) -> bool:
    with open(path, "r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def spec(path: str, hint: InputHint | None = None, core: int = 0, **figures: Any) -> WorkerSpec:
    npu = SimulatedSpec(timelines=path, npu_cores=2, service_ms=0.0, seed=1, classes=100)
    return worker_spec(
        npu_core=core,
        runtime="simulated",
        input=hint or InputHint(),
        simulated=replace(npu, **figures),
    )


def infer(spec: WorkerSpec, tensor: npt.NDArray[Any]) -> npt.NDArray[Any]:
    runtime = SimulatedRuntime(spec)
    try:
        return runtime.infer(tensor)
    finally:
        runtime.close()


def picture(seed: int = 0) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (1, 224, 224, 3), np.uint8)


def test_a_free_core_is_taken_from_now_on(timelines: Timelines) -> None:
    before = time.monotonic()
    end = timelines.reserve(0, 100.0)
    assert before + 100.0 <= end <= time.monotonic() + 100.0


def test_reservations_of_one_core_queue_up(timelines: Timelines) -> None:
    first = timelines.reserve(0, 100.0)
    assert timelines.reserve(0, 50.0) == first + 50.0
    assert timelines.reserve(0, 25.0) == first + 75.0


def test_two_cores_do_not_wait_for_each_other(timelines: Timelines) -> None:
    timelines.reserve(0, 100.0)
    end = timelines.reserve(1, 1.0)
    assert end <= time.monotonic() + 1.0
    assert timelines.reserve(1, 1.0) == end + 1.0


def test_a_core_whose_time_is_over_is_free_again(timelines: Timelines) -> None:
    over = timelines.reserve(0, 0.0)
    assert over <= time.monotonic()
    before = time.monotonic()
    assert timelines.reserve(0, 1.0) >= before + 1.0


def test_busy_seconds_add_up_for_each_core(timelines: Timelines) -> None:
    assert timelines.busy_seconds() == (0.0, 0.0)
    for core, seconds in ((0, 0.5), (1, 2.0), (0, 0.25)):
        timelines.reserve(core, seconds)
    assert timelines.busy_seconds() == (0.75, 2.0)


def test_a_second_opener_sees_and_keeps_what_is_there(timelines: Timelines, path: str) -> None:
    end = timelines.reserve(0, 100.0)
    other = Timelines(path, 2)
    assert other.reserve(0, 1.0) == end + 1.0
    other.close()
    assert timelines.busy_seconds() == (101.0, 0.0)


def test_closing_twice_is_harmless_and_keeps_the_file(path: str) -> None:
    timelines = Timelines(path, 2)
    timelines.reserve(1, 3.0)
    timelines.close()
    timelines.close()
    again = Timelines(path, 2)
    assert again.busy_seconds() == (0.0, 3.0)
    again.close()


def test_many_processes_at_once_lose_no_reservation(timelines: Timelines, path: str) -> None:
    children = [child(RESERVE_OFTEN, path) for _ in range(3)]
    assert [said(process) for process in children] == ["ready"] * 3
    for process in children:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in children:
        process.communicate()
    assert [process.returncode for process in children] == [0, 0, 0]
    assert timelines.busy_seconds() == (0.0, 3 * RESERVATIONS * STEP)


@pytest.mark.timeout(20)
def test_a_worker_killed_while_it_reserves_does_not_block_the_others(
    timelines: Timelines, path: str
) -> None:
    with child(HANG_IN_RESERVE, path) as process:
        assert said(process) == "holding"
        assert is_locked(path)
        process.kill()
    assert not is_locked(path)
    assert timelines.reserve(0, 1.0) <= time.monotonic() + 1.0


def test_the_same_pixels_give_the_same_scores(path: str) -> None:
    first = infer(spec(path), picture())
    assert np.array_equal(first, infer(spec(path, core=1), picture()))


def test_other_pixels_give_other_scores(path: str) -> None:
    assert not np.array_equal(infer(spec(path), picture(0)), infer(spec(path), picture(1)))


def test_another_seed_gives_other_scores(path: str) -> None:
    one, other = (infer(spec(path, seed=seed), picture()) for seed in (1, 2))
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("classes", [1, 5, 1000])
def test_scores_are_probabilities_of_all_classes(path: str, classes: int) -> None:
    scores = infer(spec(path, classes=classes), picture())
    assert scores.dtype == np.float32
    assert scores.shape == (classes,)
    assert scores.min() >= 0.0
    assert float(scores.sum()) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("service_ms", [5.0, 20.0])
def test_an_inference_takes_the_service_time(path: str, service_ms: float) -> None:
    runtime = SimulatedRuntime(spec(path, service_ms=service_ms))
    begun = time.monotonic()
    runtime.infer(picture())
    assert time.monotonic() - begun >= service_ms / 1000
    runtime.close()


def test_an_inference_waits_for_those_before_it_on_its_core(
    timelines: Timelines, path: str
) -> None:
    free_from = timelines.reserve(1, 0.05)
    infer(spec(path, core=1, service_ms=10.0), picture())
    assert time.monotonic() >= free_from + 0.01
    assert timelines.busy_seconds()[1] == pytest.approx(0.06)


def test_a_tensor_of_another_shape_is_refused_and_takes_no_time(
    timelines: Timelines, path: str
) -> None:
    with pytest.raises(RuntimeFailure, match="needed"):
        infer(spec(path, service_ms=5.0), np.zeros((1, 224, 225, 3), np.uint8))
    assert timelines.busy_seconds() == (0.0, 0.0)


def test_the_input_is_as_the_config_says(path: str) -> None:
    hint = InputHint(width=8, height=6, layout="NCHW", dtype="float32")
    scores = infer(spec(path, hint), np.zeros((1, 3, 6, 8), np.float32))
    assert scores.shape == (100,)
    with pytest.raises(RuntimeFailure, match="needed"):
        infer(spec(path, hint), picture())


def test_a_worker_without_figures_is_refused(path: str) -> None:
    with pytest.raises(RuntimeFailure, match="figures"):
        SimulatedRuntime(replace(spec(path), simulated=None))
