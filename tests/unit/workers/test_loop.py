"""A worker's self-test: what it accepts, and what it decides about the model's scores."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pytest

from tests.helpers.support import worker_spec
from workers.answers import Part
from workers.errors import RuntimeFailure
from workers.images.decode_pool import Decoded, Job
from workers.images.fit import ImageInfo
from workers.loop import MOST_HELD_BYTES, BatchLoop, pattern, self_test
from workers.protocol.messages import Batch, Encoded, Item, Stop, WorkerInit
from workers.protocol.spec import InputSpec
from workers.tasks.classification import Scoring
from workers.tasks.registry import find_task

INFO = ImageInfo(6, 4, (1.0, 1.0), (0.0, 0.0))
INPUT = InputSpec(width=6, height=4, layout="NHWC", dtype="uint8")


class Model:
    """A runtime whose scores are always the same."""

    model = ""

    def __init__(self, scores: Any, spec: InputSpec = INPUT) -> None:
        self.input, self._scores = spec, np.asarray(scores)
        self.given: list[npt.NDArray[Any]] = []

    def infer(self, tensor: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], ...]:
        self.given.append(tensor)
        return (self._scores,)

    def close(self) -> None:
        """Nothing to free."""


def outcome_of(model: Model, output: str = "auto") -> tuple[int, Scoring]:
    """Return the number of classes and the scoring that a self-test finds."""
    init = WorkerInit(worker_spec(model="net.onnx", output=output), 1)
    ready, _ = self_test(init, model, find_task(init.spec))
    return ready.classes, Scoring[ready.reading]


def floats(*shape: int, value: float = 0.25) -> npt.NDArray[np.float32]:
    return np.full(shape, value, np.float32)


@pytest.mark.parametrize("shape", [(1, 7), (7,), (1, 7, 1, 1), (1, 1, 1, 7)])
def test_the_classes_are_the_scores_that_come(shape: tuple[int, ...]) -> None:
    assert outcome_of(Model(floats(*shape))) == (7, Scoring.PROBABILITIES)


@pytest.mark.parametrize("shape", [(1, 4, 9), (1, 1, 6, 6), (1, 1), (), (0,), (1, 0)])
def test_a_shape_that_the_model_left_open_is_refused_once_it_is_seen(
    shape: tuple[int, ...],
) -> None:
    with pytest.raises(RuntimeFailure, match=r"self-test failed: net\.onnx: its output is "):
        outcome_of(Model(floats(*shape)))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_are_refused(bad: float) -> None:
    with pytest.raises(RuntimeFailure, match="not finite"):
        outcome_of(Model(floats(1, 7, value=bad)))


@pytest.mark.parametrize(
    ("output", "value", "expected"),
    [
        ("auto", 0.25, Scoring.PROBABILITIES),
        ("auto", -4.0, Scoring.SOFTMAX),
        ("softmax", 0.25, Scoring.SOFTMAX),
        ("none", -4.0, Scoring.UNCHANGED),
    ],
)
def test_the_output_key_decides_or_the_scores_do(
    output: str, value: float, expected: Scoring
) -> None:
    assert outcome_of(Model(floats(1, 7, value=value)), output) == (7, expected)


def test_the_image_is_the_same_each_time_scaled_as_every_image() -> None:
    scaling: dict[str, Any] = {"mean": (100.0, 100.0, 100.0), "std": (50.0, 50.0, 50.0)}
    model = Model(
        floats(1, 7), InputSpec(width=8, height=8, layout="NCHW", dtype="float32", **scaling)
    )
    outcome_of(model)
    outcome_of(model)
    first, second = model.given
    assert first.shape == (1, 3, 8, 8)
    assert np.array_equal(first, second)
    assert (first.min(), first.max()) == (-2.0, 3.1)


@pytest.mark.parametrize(("width", "height"), [(224, 224), (7, 5), (1, 1), (1, 300)])
def test_the_image_has_the_models_size_and_many_colours(width: int, height: int) -> None:
    image = pattern(width, height)
    assert image.shape == (height, width, 3)
    assert image.dtype == np.uint8
    assert len(np.unique(image.reshape(-1, 3), axis=0)) >= min(width * height, 256) / 2


class Decoders:
    """Decodes a job when it is asked for, and knows which of its tensors are still there."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.tensors: list[weakref.ref[npt.NDArray[Any]]] = []

    def put(self, job: Job) -> None:
        self.jobs.append(job)

    def get(self) -> Decoded:
        tensor = np.zeros((1, INPUT.height, INPUT.width, 3), np.uint8)
        self.tensors.append(weakref.ref(tensor))
        return Decoded(self.jobs.pop(0), (tensor, INFO), 1.0, 2.0)

    def kept(self) -> int:
        return sum(tensor() is not None for tensor in self.tensors)


class Runtime(Model):
    """A model that keeps nothing."""

    def infer(self, _tensor: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], ...]:
        return (self._scores,)


def parts_of(model: Model, decoders: Decoders, put: Callable[[Part], object]) -> None:
    """Work through a batch of eight images."""
    items = tuple(Item(number, Encoded(b"")) for number in range(8))
    messages = [Batch(1, items), Stop(), None]
    inbox = SimpleNamespace(receive=lambda **_: messages.pop(0) if messages else None)
    answers = SimpleNamespace(put=put)
    BatchLoop(model, cast(Any, decoders), cast(Any, answers)).serve(cast(Any, inbox))


def test_no_tensor_stays_until_its_batch_is_ranked() -> None:
    decoders, kept = Decoders(), []
    parts_of(Runtime([0.5, 0.5]), decoders, lambda _part: kept.append(decoders.kept()))
    assert len(decoders.tensors) == 8
    assert kept == [1]  # the last one, which is in work


@pytest.mark.parametrize(
    ("size", "parts"),
    [
        (1000, [8]),
        (MOST_HELD_BYTES // 4, [2, 2, 2, 2]),
        (MOST_HELD_BYTES // 8, [3, 3, 2]),
        (MOST_HELD_BYTES // 4 + 1, [1] * 8),
    ],
)
def test_large_outputs_are_answered_before_their_batch_is_whole(
    size: int, parts: list[int]
) -> None:
    found: list[Part] = []
    parts_of(Runtime(np.zeros(size, np.float32)), Decoders(), found.append)
    assert [len(part.images) for part in found] == parts
    assert [part.last for part in found] == [False] * (len(parts) - 1) + [True]
