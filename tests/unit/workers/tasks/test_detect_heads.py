"""What each family's outputs say, and values that they can't have."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers.heads import (
    BINS,
    CAT,
    CLASSES,
    DOG,
    HEADS,
    SIZE,
    STRIDES,
    SURE,
    ZOO,
    Array,
    Planted,
    assert_same,
    encode,
    named,
    option,
    parts_of,
    rows,
)
from workers.errors import ImageError
from workers.tasks.detect import choose, decode
from workers.tasks.detect_families import ANCHORS
from workers.tasks.detect_options import parse


@st.composite
def planted(draw: st.DrawFn, family: str, size: tuple[int, int]) -> Planted:
    """An object that such a model can say: its box within what the grid's numbers reach."""
    stride = draw(st.sampled_from(STRIDES))
    anchor = draw(st.integers(0, 2)) if family in ("yolov5", "yolov7", "raw_v5") else 0
    x = draw(st.floats(0.5, size[0] - 0.5, width=32))
    y = draw(st.floats(0.5, size[1] - 0.5, width=32))
    if family in ANCHORS:
        most = [4 * pixels * 0.99 for pixels in ANCHORS[family][STRIDES.index(stride)][anchor]]
    else:
        most = [2 * stride * (BINS - 1.5) * 0.99] * 2
    least = 2 * stride  # the cell's centre is inside, as distances are never below 0
    width, height = (draw(st.floats(min(least, limit / 2), limit)) for limit in most)
    return Planted(
        x=x,
        y=y,
        width=width,
        height=height,
        class_id=draw(st.integers(0, CLASSES - 1)),
        score=draw(st.floats(0.26, 0.95)),
        stride=stride,
        anchor=anchor,
    )


@pytest.mark.parametrize("family", HEADS)
@given(data=st.data())
@settings(deadline=None, max_examples=60)
def test_a_planted_object_comes_back(family: str, data: st.DataObject) -> None:
    size = data.draw(st.sampled_from([(64, 96), (96, 64), (160, 160), (320, 192)]))
    each = data.draw(planted(family, size))
    outputs = encode(family, [each], size, CLASSES)
    for name in {named(family), option(family)}:
        assert_same(decode(outputs, size, family=name), [each])


@pytest.mark.parametrize("family", ZOO)
@pytest.mark.parametrize("classes", [1, 64, 80])
def test_any_number_of_classes_is_read(family: str, classes: int) -> None:
    """With one class, the sum has the shape of the scores; with 64, the scores that of boxes."""
    each = Planted(x=70, y=40, width=30, height=20, class_id=classes - 1, score=0.8)
    told_by_shape = (family, classes) not in (("yolov6", 64), ("yolox", 64))
    name = named(family) if told_by_shape else family
    assert_same(decode(encode(family, [each], SIZE, classes), SIZE, family=name), [each])


def test_rows_that_fill_an_end_to_end_output_up_are_no_objects() -> None:
    filled = np.zeros((1, 3, 6), np.float32)
    filled[0, 1] = -1
    filled[0, 2] = (9, 9, 1, 1, 0.2, 0.5)  # whatever is in a row below the score
    assert rows(decode([filled], SIZE)) == rows(decode([filled[:, :2]], SIZE, score=0)) == []


def test_a_sum_below_the_score_skips_a_cell() -> None:
    """That a class of it has more can't be: so it is not even looked at."""
    outputs = encode("yolov8", [CAT, DOG], SIZE, CLASSES)
    outputs[2][0, 0, CAT.cell[0], CAT.cell[1]] = 0.1
    assert_same(decode(outputs, SIZE), [DOG])


def test_own_anchors_are_used() -> None:
    outputs = encode("yolov7", [CAT, DOG], SIZE, CLASSES)
    assert_same(decode(outputs, SIZE, anchors=ANCHORS["yolov7"]), [CAT, DOG])
    assert_same(decode(outputs, SIZE, family="yolov5", anchors=ANCHORS["yolov7"]), [CAT, DOG])


def test_a_distribution_of_seventeen_bins_is_read() -> None:
    """As the larger models of yolov6 have."""
    outputs = encode("yolov8", [CAT], SIZE, CLASSES)
    for at in (0, 3, 6):
        bins = outputs[at].reshape(1, 4, BINS, *outputs[at].shape[2:])
        more = np.concatenate([bins, np.full_like(bins[:, :, :1], -30)], axis=2)
        outputs[at] = more.reshape(1, 4 * (BINS + 1), *outputs[at].shape[2:])
    assert choose([output.shape for output in outputs], SIZE).family == "yolov6"
    assert_same(decode(outputs, SIZE), [CAT])


def test_distances_that_int8_has_rounded_below_zero_are_zero() -> None:
    outputs = encode("yolov6", [CAT], SIZE, CLASSES)
    outputs[0][0, :2, CAT.cell[0], CAT.cell[1]] = -0.01
    ((x1, y1, *_),) = decode(outputs, SIZE)[0].tolist()
    assert (x1, y1) == (8.5 * 8, 5.5 * 8)


def refused(family: str, change: Callable[[list[Array]], None]) -> str:
    """The error's kind, of an image whose outputs `change` has changed."""
    outputs = encode(family, [CAT, DOG], SIZE, CLASSES)
    head = choose([output.shape for output in outputs], SIZE, parse({"family": option(family)}))
    assert len(head.decode(outputs)[0]) == 2
    change(outputs)
    with pytest.raises(ImageError) as raised:
        head.decode(outputs)
    return raised.value.kind


@pytest.mark.parametrize("family", HEADS)
def test_scores_without_their_sigmoid_are_refused(family: str) -> None:
    def change(outputs: list[Array]) -> None:
        _, scores = parts_of(family, outputs)
        for view in scores:
            view[...] = np.log(view.clip(1e-6) / (1 - view))
        if len(outputs) == 9:  # the export limits sums to 0 to 1
            for sums, of in zip(outputs[2::3], scores, strict=True):
                sums[...] = np.clip(of.sum(axis=1, keepdims=True), 0, 1)

    assert refused(family, change) == "bad_output"


@pytest.mark.parametrize("family", HEADS)
@pytest.mark.parametrize("value", [np.nan, np.inf, 1.5, -1.0])
def test_scores_that_are_no_probabilities_are_refused(family: str, value: float) -> None:
    def change(outputs: list[Array]) -> None:
        for view in parts_of(family, outputs)[1]:
            view[...] = value

    if (family, value) == ("e2e", -1.0):  # fills an output up
        return
    assert refused(family, change) == "bad_output"


def test_sizes_that_int8_has_rounded_below_zero_are_zero() -> None:
    outputs = encode("raw_v8", [CAT, DOG], SIZE, CLASSES)
    place = CAT.cell[0] * (SIZE[0] // 8) + CAT.cell[1]
    outputs[0][0, 2, place] = -0.1
    ((x1, _, x2, _), _) = decode(outputs, SIZE)[0].tolist()
    assert x1 == x2 == CAT.x


@pytest.mark.parametrize("family", ["yolov5", "yolov8", "yolox", "raw_v5", "raw_yolox"])
@pytest.mark.parametrize("value", [np.nan, 1.5])
def test_a_class_score_that_is_none_is_refused_whatever_else_a_cell_has(
    family: str, value: float
) -> None:
    """Objectness or the sum is fine: the other scores are looked at in such cells only."""

    def change(outputs: list[Array]) -> None:
        for view in parts_of(family, outputs)[1]:
            view[np.isclose(view, CAT.score) | np.isclose(view, CAT.score / SURE)] = value

    assert refused(family, change) == "bad_output"


def test_a_score_that_float16_has_rounded_above_one_is_one() -> None:
    outputs = encode("yolov8", [CAT, DOG], SIZE, CLASSES)
    outputs[1][outputs[1] == np.float32(CAT.score)] = 1.005
    assert decode(outputs, SIZE)[2].tolist() == [1, np.float32(DOG.score)]


def test_logits_of_any_size_are_a_distribution() -> None:
    outputs = encode("yolov8", [CAT, DOG], SIZE, CLASSES)
    for boxes in outputs[::3]:
        boxes[...] += 200  # an exponential of that is more than a float32 has
    assert_same(decode(outputs, SIZE), [CAT, DOG])


def test_sums_that_are_not_limited_to_one_say_the_same() -> None:
    outputs = encode("yolov8", [CAT, DOG], SIZE, CLASSES)
    for sums in outputs[2::3]:
        sums[...] += 1
    assert_same(decode(outputs, SIZE), [CAT, DOG])


@pytest.mark.parametrize("family", ["yolov8", "yolov8_six", "raw_v8", "e2e"])
def test_a_score_that_is_the_lowest_one_stays(family: str) -> None:
    outputs = encode(family, [CAT, DOG], SIZE, CLASSES)
    assert_same(decode(outputs, SIZE, score=DOG.score), [CAT, DOG])


@pytest.mark.parametrize("value", [np.nan, -1.0])
def test_sums_that_can_be_none_are_refused(value: float) -> None:
    """As they are below every score, nothing would be found, and nothing said."""

    def change(outputs: list[Array]) -> None:
        for sums in outputs[2::3]:
            sums[...] = value

    assert refused("yolov8", change) == "bad_output"


@pytest.mark.parametrize("family", HEADS)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_boxes_that_are_not_finite_are_refused(family: str, value: float) -> None:
    def change(outputs: list[Array]) -> None:
        for view in parts_of(family, outputs)[0]:
            view[...] = value

    assert refused(family, change) == "bad_output"


@pytest.mark.parametrize(
    ("said", "real"),
    [
        ("yolov5", "yolox"),  # 24 channels: 3 classes of yolov5, 19 of yolox
        ("raw_yolox", "raw_v8"),
        ("raw_v8", "raw_yolox"),
    ],
)
def test_boxes_of_another_family_than_the_named_one_are_refused(said: str, real: str) -> None:
    """Where the shapes of both are the same, the values tell."""
    small = Planted(x=20, y=100, width=15, height=20, class_id=0, score=0.5, stride=32)
    outputs = encode(real, [CAT, DOG, small], SIZE, 19)
    if real.startswith("raw"):
        outputs = [output.transpose(0, 2, 1) for output in outputs]
    assert_same(decode(outputs, SIZE, family=real), [CAT, DOG, small])
    with pytest.raises(ImageError) as raised:
        decode(outputs, SIZE, family=said)
    assert raised.value.kind == "bad_output"


def test_poses_are_refused_where_their_shape_is_that_of_more_classes() -> None:
    (output,) = encode("raw_v8", [CAT], SIZE, 1 + 51)
    output[0, 5:] = 70.0  # 17 points: x, y in pixels, whether it is seen
    with pytest.raises(ImageError, match="no probabilities"):
        decode([output], SIZE)


@pytest.mark.parametrize("class_id", [0.5, -1.0, 1e9, np.nan, np.inf])
def test_a_class_that_is_no_class_number_is_refused(class_id: float) -> None:
    output = np.array([[[1, 2, 3, 4, 0.9, class_id]]], np.float32)
    with pytest.raises(ImageError, match="class number"):
        decode([output], SIZE)


def test_corners_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ImageError, match="boxes"):
        decode([np.array([[[30, 2, 3, 4, 0.9, 1]]], np.float32)], SIZE)
