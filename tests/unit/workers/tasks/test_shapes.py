"""Which outputs are a classifier's."""

from __future__ import annotations

import pytest

from workers.errors import RuntimeFailure
from workers.tasks.shapes import check_classifier

Dims = tuple[int, ...]


@pytest.mark.parametrize("dims", [(1, 36), (36,), (1, 36, 1, 1), (1, 1, 1, 36), (1, 2)])
def test_one_score_per_class_is_a_classifier(dims: Dims) -> None:
    check_classifier("net.onnx", [dims])


@pytest.mark.parametrize(
    ("dims", "said"),
    [
        ((1, 84, 6400), "1 x 84 x 6400"),
        ((1, 68, 18), "1 x 68 x 18"),
        ((1, 84, 21), "1 x 84 x 21"),
        ((1, 1, 480, 480), "1 x 1 x 480 x 480"),
        ((2, 36), "2 x 36"),
        ((1, 0), "1 x 0"),
        ((0,), "0"),
    ],
)
def test_another_shape_is_refused_with_what_is_expected_and_what_to_try(
    dims: Dims, said: str
) -> None:
    with pytest.raises(
        RuntimeFailure, match=r"^net\.onnx: .*1 x n x 1 x 1.*--task detect"
    ) as caught:
        check_classifier("net.onnx", [dims])
    assert f" {said};" in str(caught.value)


@pytest.mark.parametrize("count", [0, 2, 9])
def test_another_number_of_outputs_is_refused(count: int) -> None:
    with pytest.raises(RuntimeFailure, match=rf"{count} outputs; .*--task detect"):
        check_classifier("net.onnx", [(1, 36)] * count)


@pytest.mark.parametrize("dims", [(1, 1), (1,), (), (1, 1, 1, 1)])
def test_a_single_score_is_refused_with_how_to_export_yes_or_no(dims: Dims) -> None:
    with pytest.raises(RuntimeFailure, match=r"one score; .*1 - p and p"):
        check_classifier("net.onnx", [dims])
