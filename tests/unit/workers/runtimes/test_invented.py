"""What a simulated NPU answers: plausible, and always the same for a key."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.images.fit import ImageInfo
from workers.protocol.messages import Detected
from workers.runtimes.invented import Objects, Scores
from workers.tasks.detection import detection
from workers.tasks.task import Model

keys = st.integers(0, 2**32 - 1)


@given(keys)
def test_scores_are_probabilities(key: int) -> None:
    scores = Scores(100).of(key)
    assert scores.shape == (100,)
    assert scores.min() > 0
    assert scores.sum() == pytest.approx(1, abs=1e-5)


@given(keys)
def test_boxes_are_those_of_a_detector_and_inside_the_input(key: int) -> None:
    output = Objects(80, 640, 384).of(key)
    task = detection({})(Model("", (output,), 640, 384))
    (found,) = task.answer([((output,), ImageInfo(640, 384, (1.0, 1.0), (0.0, 0.0)))])
    assert isinstance(found, Detected)
    assert 1 <= len(found.objects) < output.shape[1]  # some scores are too low
    boxes = output[0, :, :4]
    assert (boxes >= 0).all()
    assert (boxes[:, 2:] <= (640, 384)).all()
    assert (boxes[:, 2:] - boxes[:, :2] > 30).all()
    assert set(output[0, :, 5].tolist()) <= set(range(80))


def test_other_keys_give_other_boxes() -> None:
    objects = Objects(80, 640, 384)
    assert not np.array_equal(objects.of(1), objects.of(2))
    assert np.array_equal(objects.of(1), Objects(80, 640, 384).of(1))
