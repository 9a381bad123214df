"""Outputs of every family to boxes: known answers, overlaps, limits, what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farm.hardware.rknn_file import describe
from tests.helpers.heads import (
    CAT,
    CLASSES,
    DOG,
    HEADS,
    SIZE,
    ZOO,
    Array,
    Planted,
    assert_same,
    encode,
    named,
    option,
    rows,
)
from tests.helpers.support import SHARED_DATA
from workers.errors import ImageError, RuntimeFailure
from workers.tasks.detect import Head, choose, decode
from workers.tasks.detect_options import DetectOptions, parse

VECTORS = sorted((SHARED_DATA / "detect" / "heads").glob("*.npz"))


def outputs_of(vector: Path) -> tuple[list[Array], tuple[int, int], Any]:
    data = np.load(vector)
    size = vector.stem.split("-")[1].split("x")
    outputs = [data[f"output{at}"] for at in range(len(data.files) - 3)]
    return outputs, (int(size[0]), int(size[1])), data


@pytest.mark.data
@pytest.mark.parametrize("vector", VECTORS, ids=lambda path: path.stem)
def test_the_answers_of_the_reference_code(vector: Path) -> None:
    outputs, size, data = outputs_of(vector)
    family = vector.stem.split("-")[0]
    for name in {named(family), option(family)}:
        boxes, classes, scores = decode(outputs, size, family=name)
        assert [part.dtype.name for part in (boxes, classes, scores)] == [
            "float32",
            "int64",
            "float32",
        ]
        order = np.lexsort((data["classes"], -data["scores"]))
        mine = np.lexsort((classes, -scores))
        assert classes[mine].tolist() == data["classes"][order].tolist()
        assert np.abs(scores[mine] - data["scores"][order]).max() < 1e-3
        assert np.abs(boxes[mine] - data["boxes"][order]).max() < 0.5
        assert scores.tolist() == sorted(scores.tolist(), reverse=True)


@pytest.mark.data
def test_there_is_a_vector_for_every_family() -> None:
    assert {vector.stem.split("-")[0] for vector in VECTORS} == set(HEADS)


@pytest.mark.parametrize("family", ZOO)
@given(data=st.data())
@settings(deadline=None, max_examples=20)
def test_outputs_in_another_order_say_the_same(family: str, data: st.DataObject) -> None:
    outputs = encode(family, [CAT, DOG], SIZE, CLASSES)
    order = data.draw(st.permutations(range(len(outputs))))
    found = decode([outputs[at] for at in order], SIZE, family=named(family))
    assert rows(found) == rows(decode(outputs, SIZE, family=named(family)))
    assert_same(found, [CAT, DOG])


@pytest.mark.parametrize("family", [*ZOO, "raw_v5", "raw_v8", "raw_yolox"])
def test_outputs_without_a_batch_axis_say_the_same(family: str) -> None:
    outputs = [output[0] for output in encode(family, [CAT], SIZE, CLASSES)]
    assert_same(decode(outputs, SIZE, family=named(family)), [CAT])


@pytest.mark.parametrize("family", ZOO)
def test_outputs_with_their_channels_last_say_the_same(family: str) -> None:
    outputs = [np.moveaxis(output, 1, 3) for output in encode(family, [CAT], SIZE, CLASSES)]
    assert_same(decode(outputs, SIZE, family=named(family)), [CAT])
    copied = [output.copy() for output in outputs]
    assert_same(decode(copied, SIZE, family=named(family)), [CAT])


@pytest.mark.parametrize("family", ["raw_v5", "raw_v8", "raw_yolox"])
def test_a_named_export_may_have_its_axes_turned_around(family: str) -> None:
    (output,) = encode(family, [CAT], SIZE, CLASSES)
    turned = output.transpose(0, 2, 1)
    assert_same(decode([turned], SIZE, family=family), [CAT])
    assert_same(decode([turned[..., np.newaxis].copy()], SIZE, family=family), [CAT])


@pytest.mark.parametrize("count", [0, 1, 7, 300])
def test_an_end_to_end_output_may_have_any_number_of_rows(count: int) -> None:
    full = np.zeros((1, count, 6), np.float32)
    full[0, :1] = (10, 20, 30, 40, 0.9, 2)
    boxes, classes, scores = decode([full], SIZE)
    assert boxes.tolist() == [[10, 20, 30, 40]][:count]
    assert (classes.tolist(), scores.tolist()) == ([2][:count], [np.float32(0.9)][:count])


def test_an_end_to_end_model_may_give_another_number_for_each_image() -> None:
    head = choose([(1, 0, 6)], SIZE)
    row = np.array([[[1, 2, 3, 4, 0.5, 7]]], np.float32)
    assert rows(head.decode([row])) == [(7, 0.5, 1.0, 2.0, 3.0, 4.0)]
    with pytest.raises(ImageError):
        head.decode([row[..., :5]])


def near(each: Planted, **changes: Any) -> Planted:
    """The same object, found a little to the right by the next cell."""
    values = {name: getattr(each, name) for name in Planted.__slots__}
    return Planted(**{**values, "x": each.x + 2, "score": 0.5, **changes})


@pytest.mark.parametrize("family", HEADS)
def test_of_boxes_that_overlap_the_best_one_of_each_class_is_kept(family: str) -> None:
    outputs = encode(family, [CAT, near(CAT), near(CAT, x=CAT.x - 8, class_id=0)], SIZE, CLASSES)
    found = [row[0] for row in rows(decode(outputs, SIZE, family=option(family)))]
    gives_one_each = family in ("yolov10", "e2e")  # so nothing of theirs is left out
    assert sorted(found) == ([0, 3, 3] if gives_one_each else [0, 3])


def test_boxes_that_overlap_less_than_the_limit_are_kept() -> None:
    outputs = encode("yolov8", [CAT, near(CAT)], SIZE, CLASSES)
    assert [len(decode(outputs, SIZE, iou=iou)[0]) for iou in (0.0, 0.8, 0.9, 1.0)] == [1, 1, 2, 2]


@pytest.mark.parametrize("family", HEADS)
def test_boxes_below_the_score_are_left_out(family: str) -> None:
    outputs = encode(family, [CAT, DOG], SIZE, CLASSES)
    count = {
        score: len(decode(outputs, SIZE, score=score, family=option(family))[0])
        for score in (0.5, 0.59, 0.61, 0.79, 0.81)
    }
    assert count == {0.5: 2, 0.59: 2, 0.61: 1, 0.79: 1, 0.81: 0}


def many(count: int) -> list[Planted]:
    """Objects that do not touch each other, from the best down."""
    return [
        Planted(
            x=16 + 32 * (at % 5),
            y=16 + 32 * (at // 5),
            width=10,
            height=10,
            class_id=at % CLASSES,
            score=0.9 - at / 50,
        )
        for at in range(count)
    ]


@pytest.mark.parametrize("family", HEADS)
def test_the_best_ones_are_kept_up_to_the_limit(family: str) -> None:
    objects = many(12)
    outputs = encode(family, objects[::-1], SIZE, CLASSES)
    assert_same(decode(outputs, SIZE, family=option(family), limit=5), objects[:5])


def test_the_limit_counts_what_is_left_of_those_that_overlap() -> None:
    twins = [near(CAT, score=0.79), near(CAT, x=CAT.x - 8, score=0.78)]
    outputs = encode("yolov8", [CAT, *twins, DOG], SIZE, CLASSES)
    assert_same(decode(outputs, SIZE, limit=2), [CAT, DOG])


def test_equal_scores_keep_the_order_of_strides_and_cells() -> None:
    objects = [near(each, score=0.5) for each in many(12)]
    outputs = encode("yolov8", objects[::-1], SIZE, CLASSES)
    assert_same(decode(outputs, SIZE), objects)
    assert_same(decode(outputs[::-1], SIZE), objects)


@pytest.mark.parametrize("family", HEADS)
def test_only_objects_of_the_classes_that_are_asked_for_come_back(family: str) -> None:
    outputs = encode(family, many(10), SIZE, CLASSES)
    wanted = [each for each in many(10) if each.class_id in (1, 4)]
    found = decode(outputs, SIZE, family=option(family), classes=[4, 1])
    assert_same(found, wanted)


def test_the_classes_that_are_asked_for_do_not_count_towards_the_limit_of_others() -> None:
    outputs = encode("yolov8", many(10), SIZE, CLASSES)
    found = decode(outputs, SIZE, classes=[4], limit=1)
    assert_same(found, [many(10)[4]])


@pytest.mark.parametrize("family", HEADS)
def test_outputs_of_other_shapes_than_chosen_are_refused(family: str) -> None:
    outputs = encode(family, [CAT], SIZE, CLASSES)
    head = choose([output.shape for output in outputs], SIZE, parse({"family": option(family)}))
    assert_same(head.decode(outputs), [CAT])
    for other in (outputs[1:], [*outputs, outputs[0]], [output[..., :-1] for output in outputs]):
        with pytest.raises(ImageError) as raised:
            head.decode(other)
        assert raised.value.kind == "bad_output"


def test_nothing_found_is_empty_arrays() -> None:
    for family in HEADS:
        boxes, classes, scores = decode(
            encode(family, [], SIZE, CLASSES), SIZE, family=option(family)
        )
        assert (boxes.shape, classes.shape, scores.shape) == ((0, 4), (0,), (0,))


def test_the_outputs_are_left_as_they_are() -> None:
    for family in HEADS:
        outputs = encode(family, [CAT, DOG], SIZE, CLASSES)
        for output in outputs:
            output.flags.writeable = False
        decode(outputs, SIZE, family=option(family))


def test_a_head_tells_its_family_and_its_classes() -> None:
    shapes = [output.shape for output in encode("yolov8", [], SIZE, CLASSES)]
    head = choose(shapes, SIZE)
    assert (head.family, head.classes) == ("yolov8", CLASSES)
    assert isinstance(head, Head)
    assert choose([(1, 300, 6)], SIZE).classes is None


@pytest.mark.parametrize("classes", [(5,), (0, 99)])
def test_classes_that_the_model_has_not_are_refused(classes: tuple[int, ...]) -> None:
    outputs = encode("yolov8", [], SIZE, CLASSES)
    with pytest.raises(RuntimeFailure, match="has 5, from 0 to 4"):
        decode(outputs, SIZE, classes=classes)


def test_names_of_classes_are_refused_where_no_labels_are() -> None:
    with pytest.raises(RuntimeFailure, match="bus"):
        choose([(1, 84, 8400)], (640, 640), DetectOptions(classes=("bus",)))


def test_options_out_of_range_are_refused() -> None:
    outputs = encode("yolov8", [], SIZE, CLASSES)
    for options in ({"score": 1.5}, {"iou": -1}, {"limit": 0}, {"family": "yolo"}):
        with pytest.raises(RuntimeFailure):
            decode(outputs, SIZE, **options)


def test_many_equal_scores_keep_their_order() -> None:
    places = np.arange(200)
    better = places % 3 == 0
    full = np.zeros((1, 200, 6), np.float32)
    full[0, :, 0], full[0, :, 2:4], full[0, :, 4] = places, 999, np.where(better, 0.6, 0.5)
    expected = [*places[better], *places[~better]]
    assert decode([full], SIZE)[0][:, 0].tolist() == expected


def test_only_so_many_boxes_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """The best: time grows with their square, and noise makes of every cell an object."""
    monkeypatch.setattr("workers.tasks.detect.MOST_CANDIDATES", 3)
    outputs = encode("yolov8", many(5), SIZE, CLASSES)
    assert_same(decode(outputs, SIZE), many(5)[:3])


@pytest.mark.data
def test_a_real_yolox_finds_what_is_on_a_photo() -> None:
    ort = pytest.importorskip("onnxruntime")
    picture = cv2.imread(str(SHARED_DATA / "detect" / "bus.jpg"))
    assert picture is not None
    ratio = 416 / max(picture.shape)
    reduced = cv2.resize(picture, None, fx=ratio, fy=ratio)
    canvas = np.full((416, 416, 3), 114, np.uint8)
    canvas[: reduced.shape[0], : reduced.shape[1]] = reduced
    tensor = canvas.transpose(2, 0, 1)[np.newaxis].astype(np.float32)
    session = ort.InferenceSession(str(SHARED_DATA / "detect" / "yolox_nano.onnx"))
    outputs = session.run(None, {session.get_inputs()[0].name: tensor})
    boxes, classes, scores = decode(outputs, (416, 416), score=0.3)
    assert classes.tolist() == [5, 0, 0, 0]  # a bus and three persons
    assert scores == pytest.approx([0.88, 0.87, 0.80, 0.79], abs=0.01)
    bus = boxes[0] / ratio
    assert bus == pytest.approx([95, 136, 553, 437], abs=3)
    with pytest.raises(ImageError, match="no pixels"):  # the same shape, the axes turned around
        decode(outputs, (416, 416), family="raw_v8")


@pytest.mark.data
def test_a_real_export_of_the_vendors_zoo_is_a_yolov8_of_one_class() -> None:
    """Its scores and their sums have the same shape."""
    described = describe(SHARED_DATA / "detect" / "lpd-yolov8n-rk3588.rknn")
    assert described is not None
    head = choose(described.outputs, (640, 640))
    assert (head.family, head.classes) == ("yolov8", 1)
    assert [(grid.boxes, grid.scores, grid.total) for grid in head.reading.grids] == [
        (0, 1, 2),
        (3, 4, 5),
        (6, 7, 8),
    ]
