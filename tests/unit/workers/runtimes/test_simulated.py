"""The simulated NPU: cores that are busy for a time, and answers made of the pixels."""

from __future__ import annotations

import ctypes
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from msgspec.structs import replace

from tests.helpers.support import worker_spec
from workers.errors import RuntimeFailure
from workers.protocol.spec import InputHint, SimulatedSpec, WorkerSpec
from workers.runtimes import simulated
from workers.runtimes.npu_timeline import Timelines, look
from workers.runtimes.simulated import SimulatedRuntime
from workers.tasks.classification import best

PR_SET_TIMERSLACK, PR_GET_TIMERSLACK = 29, 30


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "npu")


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
        return runtime.infer(tensor)[0]
    finally:
        runtime.close()


def picture(seed: int = 0) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (1, 224, 224, 3), np.uint8)


def test_the_same_pixels_give_the_same_scores(path: str) -> None:
    first = infer(spec(path), picture())
    assert np.array_equal(first, infer(spec(path, core=1), picture()))


def test_other_pixels_give_other_scores(path: str) -> None:
    assert not np.array_equal(infer(spec(path), picture(0)), infer(spec(path), picture(1)))


@pytest.mark.parametrize("spot", range(20))
def test_a_spot_of_the_picture_changes_the_scores(path: str, spot: int) -> None:
    row, column = np.random.default_rng(spot).integers(0, 224 - 5, 2)
    changed = picture()
    changed[0, row : row + 5, column : column + 5] ^= 1
    assert not np.array_equal(infer(spec(path), picture()), infer(spec(path), changed))


@pytest.mark.parametrize(("layout", "channel"), [("NHWC", 0), ("NHWC", 2), ("NCHW", 1)])
@pytest.mark.parametrize("width", [5, 8, 224, 333])
def test_every_channel_changes_the_scores(path: str, layout: str, channel: int, width: int) -> None:
    described = spec(path, InputHint(width=width, height=140, layout=layout))
    plain = np.zeros((1, 140, width, 3) if layout == "NHWC" else (1, 3, 140, width), np.uint8)
    changed = plain.copy()
    np.moveaxis(changed, 3 if layout == "NHWC" else 1, 0)[channel] = 1
    assert not np.array_equal(infer(described, plain), infer(described, changed))


@pytest.mark.parametrize("classes", [2, 1000])
def test_another_seed_gives_other_scores(path: str, classes: int) -> None:
    one, other = (infer(spec(path, seed=seed, classes=classes), picture()) for seed in (1, 2))
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("classes", [1, 5, 1000])
def test_scores_are_probabilities_of_all_classes(path: str, classes: int) -> None:
    scores = infer(spec(path, classes=classes), picture())
    assert scores.dtype == np.float32
    assert scores.shape == (classes,)
    assert scores.min() >= 0.0
    assert float(scores.sum()) == pytest.approx(1.0, abs=1e-5)


def test_scores_fall_as_a_classifiers_do_and_never_tie(path: str) -> None:
    hint = InputHint(width=8, height=8)
    runtime = SimulatedRuntime(spec(path, hint, classes=1000))
    shape = (2000, 1, 8, 8, 3)
    tensors = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    answers = [runtime.infer(tensor)[0] for tensor in tensors]
    runtime.close()
    falling = np.array([np.sort(scores)[::-1][:6] for scores in answers])
    assert (np.diff(falling) < 0).all()
    assert 0.3 < falling[:, 0].min() < 0.35
    assert 0.55 < falling[:, 0].max() < 0.65
    first = best(np.stack(answers)).tolist()
    assert len({(*five, *top) for five, top in zip(first, falling, strict=True)}) == 2000
    assert len({int(np.argmax(scores)) for scores in answers}) > 800  # 865 are expected of 1000


@pytest.mark.parametrize("service_ms", [5.0, 20.0])
def test_an_inference_takes_the_service_time(path: str, service_ms: float) -> None:
    runtime = SimulatedRuntime(spec(path, service_ms=service_ms))
    begun = time.monotonic()
    runtime.infer(picture())
    assert time.monotonic() - begun >= service_ms / 1000
    runtime.close()


def test_an_inference_waits_for_those_before_it_on_its_core(path: str) -> None:
    timelines = Timelines(path, 2)
    free_from = timelines.reserve(1, 0.05)
    timelines.close()
    infer(spec(path, core=1, service_ms=10.0), picture())
    assert time.monotonic() >= free_from + 0.01
    assert look(path, 2).seconds[1] == pytest.approx(0.06)


def test_an_inference_that_has_ended_already_is_not_slept_for(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulated, "sleep", lambda seconds: pytest.fail(f"slept {seconds}"))
    infer(spec(path, service_ms=0.0), picture())


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "prctl"), reason="timer slack is Linux's")
def test_the_thread_that_infers_has_sharp_timers(path: str) -> None:
    prctl = ctypes.CDLL(None).prctl
    runtime = SimulatedRuntime(spec(path, service_ms=1.0))

    def slacks() -> tuple[int, int]:
        prctl(PR_SET_TIMERSLACK, ctypes.c_ulong(50_000), 0, 0, 0)
        before = prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0)
        runtime.infer(picture())
        return before, prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0)

    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(slacks).result() == (50_000, 1)
    runtime.close()


def test_where_timers_can_not_be_sharpened_it_works_all_the_same(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    assert infer(spec(path, service_ms=1.0), picture()).shape == (100,)


def test_a_tensor_of_another_shape_is_refused_and_takes_no_time(path: str) -> None:
    with pytest.raises(RuntimeFailure, match=r"224, 225\b"):
        infer(spec(path, service_ms=5.0), np.zeros((1, 224, 225, 3), np.uint8))
    assert look(path, 2).seconds == (0.0, 0.0)


def test_the_input_is_as_the_config_says(path: str) -> None:
    hint = InputHint(width=8, height=6, layout="NCHW", dtype="float32")
    scores = infer(spec(path, hint), np.zeros((1, 3, 6, 8), np.float32))
    assert scores.shape == (100,)
    with pytest.raises(RuntimeFailure, match="float32"):
        infer(spec(path, hint), picture())


def test_a_worker_without_figures_is_refused(path: str) -> None:
    with pytest.raises(RuntimeFailure):
        SimulatedRuntime(replace(spec(path), simulated=None))
