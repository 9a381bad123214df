"""A real detector through the farm finds what a plain loop finds."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from farm.api import Farm
from farm.config.loader import validate
from tests.helpers.support import SHARED_DATA

DATA: Final = SHARED_DATA / "detect"
SIDE: Final = 416
SCORE, IOU = 0.3, 0.45
FRAMES: Final = 12
Found = list[tuple[int, float, tuple[float, ...]]]

pytestmark = pytest.mark.data


def plain_loop(paths: list[Path]) -> list[Found]:
    """What YOLOX-nano finds in images, by the formulas of its paper, with none of our code."""
    ort = pytest.importorskip("onnxruntime")
    session = ort.InferenceSession(DATA / "yolox_nano.onnx", providers=["CPUExecutionProvider"])
    found = []
    for path in paths:
        image = np.asarray(cv2.imread(str(path)))
        height, width = image.shape[:2]
        ratio = min(SIDE / width, SIDE / height)
        inner = (round(width * ratio), round(height * ratio))
        left, top = (SIDE - inner[0]) // 2, (SIDE - inner[1]) // 2
        canvas = np.full((SIDE, SIDE, 3), 114, np.uint8)
        small = cv2.resize(image, inner, interpolation=cv2.INTER_AREA)
        canvas[top : top + inner[1], left : left + inner[0]] = small
        tensor = canvas.transpose(2, 0, 1)[np.newaxis].astype(np.float32)
        (output,) = session.run(None, {session.get_inputs()[0].name: tensor})
        scale = np.array([width / inner[0], height / inner[1]] * 2)
        bars, edges = np.array((left, top) * 2), (width, height) * 2
        found.append([
            (number, score, tuple(np.clip((box - bars) * scale, 0, edges)))
            for number, score, box in found_in(output[0])
        ])  # fmt: skip
    return found


def found_in(rows: npt.NDArray[np.float32]) -> list[tuple[int, float, npt.NDArray[np.float64]]]:
    """The objects in an output, cell by cell, and of those that overlap the best."""
    cells = [
        (stride, column, row)
        for stride in (8, 16, 32)
        for row in range(SIDE // stride)
        for column in range(SIDE // stride)
    ]
    candidates = []
    for (stride, column, row), values in zip(cells, rows.tolist(), strict=True):
        x, y, log_width, log_height, objectness, *classes = values
        best = int(np.argmax(classes))
        if (score := objectness * classes[best]) >= SCORE:
            centre = np.array([x + column, y + row]) * stride
            half = np.exp([log_width, log_height]) * stride / 2
            candidates.append((best, score, np.concatenate([centre - half, centre + half])))
    kept: list[tuple[int, float, npt.NDArray[np.float64]]] = []
    for each in sorted(candidates, key=lambda one: -one[1]):
        if not any(each[0] == other[0] and overlap(each[2], other[2]) > IOU for other in kept):
            kept.append(each)
    return kept


def overlap(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> float:
    """Intersection over union."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    both = max(wide, 0) * max(high, 0)
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return float(both / (areas - both))


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two photos, and frames of a clip."""
    folder = tmp_path_factory.mktemp("frames")
    clip = cv2.VideoCapture(os.fspath(DATA / "cars.mp4"))
    frames = []
    for number in range(FRAMES):
        clip.set(cv2.CAP_PROP_POS_FRAMES, 5 * number)
        read, frame = clip.read()
        assert read
        frames.append(folder / f"frame-{number:02d}.jpg")
        cv2.imwrite(str(frames[-1]), frame)
    return [DATA / "bus.jpg", DATA / "catdog.jpg", *frames]


@pytest.fixture(scope="module")
def expected(paths: list[Path]) -> list[Found]:
    return plain_loop(paths)


@pytest.mark.parametrize("size", [1, 3])
def test_yolox_finds_in_a_farm_what_it_finds_in_a_plain_loop(
    size: int, paths: list[Path], expected: list[Found]
) -> None:
    config = validate(
        {
            "platform": "host",
            "model": str(DATA / "yolox_nano.onnx"),
            "labels": str(DATA / "coco_80_labels_list.txt"),
            "task": "detect",
            "task_options": {"score": SCORE, "iou": IOU},
            "input": {"color": "bgr"},
            "size": size,
            "batch": 4,
        }
    )
    with Farm(config) as farm:
        results = list(farm.classify(paths, ordered=True))
    names = [each.label for each in results[0].objects or ()]
    assert names == ["bus", "person", "person", "person"]
    assert sum(len(each) for each in expected) > 20
    for result, wanted in zip(results, expected, strict=True):
        found = result.objects or ()
        assert [each.class_id for each in found] == [number for number, _, _ in wanted]
        np.testing.assert_allclose([o.score for o in found], [s for _, s, _ in wanted], atol=1e-3)
        np.testing.assert_allclose([o.box for o in found], [b for _, _, b in wanted], atol=0.5)
