"""250 real photos and a real MobileNet-v2: the farm against a plain loop that shares no code."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from farm.api import Farm
from farm.config.schema import FarmConfig
from tests.helpers.server import Server, serving
from tests.helpers.support import ROOT, SHARED_DATA, once
from tests.helpers.triton import connected, encoded, outputs, texts
from workers.images import preprocess as image
from workers.protocol.messages import FileRef
from workers.protocol.spec import EXACT, FAST, InputSpec

pytestmark = pytest.mark.data

MODELS = SHARED_DATA / "models"
MODEL = MODELS / "mobilenet_v2_imagenet_uint8.onnx"
Top5 = list[tuple[int, float]]


def photos() -> list[Path]:
    return sorted((SHARED_DATA / "imagenet").glob("*.JPEG"))


def decoded(path: Path) -> Any:
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    assert picture is not None
    return picture


def published_pixels(picture: Any) -> Any:
    rgb = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
    return cv2.resize(rgb, (224, 224), interpolation=cv2.INTER_AREA)


def classify(paths: Iterable[Path], preprocess: Callable[[Path], Any]) -> dict[str, Top5]:
    """One process, one image after another, as anybody would write it."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    ort = pytest.importorskip("onnxruntime")
    session = ort.InferenceSession(str(MODEL))
    found: dict[str, Top5] = {}
    for path in paths:
        (raw,) = session.run(None, {"input": preprocess(path)[None]})
        scores = [int(q) / 256 for q in raw[0]]
        order = sorted(range(len(scores)), key=lambda at: (-scores[at], at))
        found[str(path)] = [(at, scores[at]) for at in order[:5] if scores[at]]
    return found


@pytest.fixture(scope="session")
def plain_loop(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Top5]:
    def make(folder: Path) -> None:
        found = classify(photos(), lambda path: published_pixels(decoded(path)))
        (folder / "found.json").write_text(json.dumps(found))

    text = (once(tmp_path_factory, "plain-loop", make) / "found.json").read_text()
    found: dict[str, list[list[Any]]] = json.loads(text)
    return {path: [(number, score) for number, score in top5] for path, top5 in found.items()}


@pytest.fixture(scope="module")
def truth() -> dict[str, int]:
    wnids = (MODELS / "imagenet_wnids.txt").read_text().split()
    return {wnid: number for number, wnid in enumerate(wnids, start=1)}


def mobilenet(size: int) -> FarmConfig:
    return FarmConfig(
        platform="host", model=MODEL, labels=MODELS / "imagenet_labels.txt", size=size
    )


def load(path: Path, mode: str) -> Any:
    spec = InputSpec(width=224, height=224, layout="NHWC", dtype="uint8")
    return image.load(FileRef(os.fsencode(path)), spec, mode)[0][0]


def test_the_pixels_are_those_of_the_published_preprocessing() -> None:
    for path in photos():
        assert np.array_equal(load(path, EXACT), published_pixels(decoded(path))), path


def test_fast_decoding_changes_the_large_photos_a_little(
    plain_loop: dict[str, Top5], truth: dict[str, int]
) -> None:
    """What docs/performance.md says of them."""
    differences = {}
    for path in photos():
        picture = decoded(path)
        change = np.abs(load(path, FAST).astype(int) - published_pixels(picture))
        assert change.any() == (min(picture.shape[:2]) >= 2 * 224)
        if change.any():
            differences[path] = change.mean()
    assert len(differences) == 30
    assert max(differences.values()) < 5
    fast = classify(differences, lambda path: load(path, FAST))
    assert accuracy({**plain_loop, **fast}, truth) == accuracy(plain_loop, truth)


@pytest.mark.parametrize("size", [1, 9])
def test_every_photo_gets_the_plain_loops_top5_once(
    size: int, plain_loop: dict[str, Top5], truth: dict[str, int]
) -> None:
    with Farm(mobilenet(size)) as farm:
        results = list(farm.classify(photos()))
    found = {r.path: [(p.class_id, p.score) for p in r.top5 or ()] for r in results}
    assert len(results) == len(plain_loop) == 250
    assert found == plain_loop
    top1, top5 = accuracy(plain_loop, truth)
    assert top1 >= 0.80
    assert top5 >= 0.95


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    model = ("--model", str(MODEL), "--labels", str(MODELS / "imagenet_labels.txt"))
    with serving(str(ROOT / "configs" / "host.yaml"), "-s", "1", *model) as server:
        yield server


@pytest.mark.parametrize("binary", [True, False])
def test_tritonclient_gets_the_plain_loops_top5(
    server: Server, binary: bool, plain_loop: dict[str, Top5]
) -> None:
    """Of several photos at a time; a body of JSON is a third larger."""
    found: dict[str, Top5] = {}
    asked = outputs("classes", "scores", "errors", binary=binary)
    paths = photos()
    with connected(server.url) as client:
        for at in range(0, len(paths), 25):
            some = paths[at : at + 25]
            given = encoded(*[path.read_bytes() for path in some], binary=binary)
            answer = client.infer(MODEL.stem, [given], outputs=asked)
            assert texts(answer.as_numpy("errors")) == [""] * len(some)
            rows = zip(answer.as_numpy("classes"), answer.as_numpy("scores"), strict=True)
            for path, (classes, scores) in zip(some, rows, strict=True):
                pairs = zip(classes.tolist(), scores.tolist(), strict=True)
                found[str(path)] = [pair for pair in pairs if pair[0] >= 0]
    assert found == plain_loop


def accuracy(found: dict[str, Top5], truth: dict[str, int]) -> tuple[float, float]:
    right = list(_right(found, truth))
    return sum(top1 for top1, _ in right) / len(right), sum(top5 for _, top5 in right) / len(right)


def _right(found: dict[str, Top5], truth: dict[str, int]) -> Iterator[tuple[bool, bool]]:
    for path, top5 in found.items():
        expected = truth[Path(path).name.partition("_")[0]]
        classes = [class_id for class_id, _ in top5]
        yield classes[0] == expected, expected in classes
