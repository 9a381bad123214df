"""Raw model outputs to the five most probable classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from workers.errors import RuntimeFailure
from workers.protocol.messages import ItemError, Ranked
from workers.protocol.spec import AUTO, NONE, SOFTMAX
from workers.tasks.classification import Scoring, choose_scoring, rank

STEP = 1 / 256


def top5(
    raw: npt.NDArray[Any], scoring: Scoring = Scoring.PROBABILITIES
) -> tuple[tuple[int, float], ...]:
    (found,) = rank([raw], scoring)
    assert isinstance(found, Ranked)
    return found.top5


def classes(raw: npt.NDArray[Any], scoring: Scoring = Scoring.PROBABILITIES) -> list[int]:
    return [index for index, _ in top5(raw, scoring)]


def scores(raw: npt.NDArray[Any], scoring: Scoring = Scoring.PROBABILITIES) -> list[float]:
    return [score for _, score in top5(raw, scoring)]


def f32(*values: float) -> npt.NDArray[np.float32]:
    return np.array(values, np.float32)


def softmax(logits: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    powers = np.exp(logits.astype(np.float64) - float(logits.max()))
    return np.asarray(powers / powers.sum(), np.float64)


def one_step_each(count: int) -> npt.NDArray[np.uint8]:
    return np.full(count, round(256 / count), np.uint8)


def test_the_best_five_come_best_first() -> None:
    assert classes(f32(0.05, 0.3, 0.1, 0.25, 0.02, 0.08, 0.2)) == [1, 3, 6, 2, 5]


@pytest.mark.parametrize("count", [6, 10, 1000, 1001])
def test_the_best_five_are_those_of_a_full_sort(count: int) -> None:
    logits = np.random.default_rng(count).normal(size=count).astype(np.float32)
    expected = np.argsort(-logits, kind="stable")[:5].tolist()
    assert classes(logits, Scoring.SOFTMAX) == classes(logits, Scoring.UNCHANGED) == expected


def test_equal_scores_keep_the_order_of_their_classes() -> None:
    assert classes(f32(0.1, 0.2, 0.1, 0.2, 0.1, 0.2, 0.1)) == [1, 3, 5, 0, 2]


def test_many_ties_at_the_fifth_place_keep_the_lowest_classes() -> None:
    raw = np.full(1000, 0.0005, np.float32)
    raw[[900, 500, 700]] = 0.2, 0.15, 0.15
    assert classes(raw) == [900, 500, 700, 0, 1]


def test_equal_scores_in_all_places_give_the_first_five_classes() -> None:
    assert classes(np.full(1000, 0.001, np.float32)) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_with_five_classes_or_fewer_all_are_ranked(count: int) -> None:
    raw = np.arange(count, dtype=np.float32)
    assert classes(raw, Scoring.SOFTMAX) == list(range(count))[::-1]
    assert sum(scores(raw, Scoring.SOFTMAX)) == pytest.approx(1.0)


def test_ties_among_fewer_than_five_classes_keep_their_order() -> None:
    assert classes(f32(0.25, 0.5, 0.25)) == [1, 0, 2]


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_logits_become_their_softmax(dtype: type[np.floating[Any]]) -> None:
    logits = np.array([-3.0, 8.0, 2.5, 0.0, 1.0, 7.0], dtype)
    expected = softmax(logits)
    assert classes(logits, Scoring.SOFTMAX) == [1, 5, 2, 4, 3]
    found = scores(logits, Scoring.SOFTMAX)
    assert found == pytest.approx([expected[k] for k in (1, 5, 2, 4, 3)], rel=1e-5)


def test_large_logits_do_not_overflow() -> None:
    expected = softmax(f32(1.0, 0.0)).tolist()
    assert scores(f32(50_000.0, 49_999.0), Scoring.SOFTMAX) == pytest.approx(expected)


def test_the_logarithms_of_a_softmax_become_the_softmax() -> None:
    logarithms = np.log(f32(0.5, 0.25, 0.125, 0.125))
    assert choose_scoring(AUTO, logarithms) is Scoring.SOFTMAX
    assert scores(logarithms, Scoring.SOFTMAX) == pytest.approx([0.5, 0.25, 0.125, 0.125])


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (f32(0.5, 0.25, 0.25), Scoring.PROBABILITIES),
        (f32(0.95, 0.9, 0.0), Scoring.PROBABILITIES),  # sigmoids
        (f32(0.0, 0.0, 0.001), Scoring.PROBABILITIES),
        (np.array([1.001, 0, 0], np.float16), Scoring.PROBABILITIES),
        (f32(0.9, 0.6, -0.5), Scoring.SOFTMAX),  # although the sum is 1
        (f32(1.5, 0.0, 0.0), Scoring.SOFTMAX),
        (f32(-3.0, -4.0), Scoring.SOFTMAX),
        (one_step_each(1000), Scoring.PROBABILITIES),  # all rounded to 0
        (np.array([128, 127, 0], np.uint8), Scoring.PROBABILITIES),
        (np.array([0, -2, -127], np.int8), Scoring.PROBABILITIES),
    ],
)
def test_auto_decides_by_the_range_of_one_output(raw: npt.NDArray[Any], expected: Scoring) -> None:
    assert choose_scoring(AUTO, raw) is expected


@pytest.mark.parametrize("raw", [f32(0.5, 0.5), f32(9.0, -9.0), f32(0.9, 0.9)])
def test_the_config_decides_whatever_the_output(raw: npt.NDArray[Any]) -> None:
    assert choose_scoring(SOFTMAX, raw) is Scoring.SOFTMAX
    assert choose_scoring(NONE, raw) is Scoring.UNCHANGED


@pytest.mark.parametrize(
    ("output", "raw"),
    [
        (AUTO, np.array([200, 150, 90], np.uint8)),
        (AUTO, np.array([-128, -128, -128], np.int8)),
        (AUTO, np.array([100, 100, -90], np.int8)),
        (SOFTMAX, np.array([128, 128, 0], np.uint8)),
    ],
)
def test_integers_whose_unit_is_unknown_are_refused(output: str, raw: npt.NDArray[Any]) -> None:
    with pytest.raises(RuntimeFailure, match=f"{raw.dtype}.*float32.*output: none"):
        choose_scoring(output, raw)
    assert choose_scoring(NONE, raw) is Scoring.UNCHANGED


@pytest.mark.parametrize("raw", [f32(0.5, 1.02), f32(0.5, -0.001), f32(7.5, -3.0)])
def test_probabilities_that_are_none_are_refused_and_the_key_is_named(
    raw: npt.NDArray[Any],
) -> None:
    (found,) = rank([raw], Scoring.PROBABILITIES)
    assert isinstance(found, ItemError)
    assert (found.kind, "output: softmax" in found.message) == ("bad_output", True)


def test_without_softmax_scores_stay_as_they_are() -> None:
    assert top5(f32(-3.0, 12.5, 0.5), Scoring.UNCHANGED) == ((1, 12.5), (2, 0.5), (0, -3.0))


def test_sigmoids_are_read_alike_whatever_their_sum() -> None:
    few, many = np.full(1000, 0.0009, np.float32), np.full(1000, 0.3, np.float32)
    few[3] = many[3] = 0.95
    scoring = choose_scoring(AUTO, few)
    assert scoring is choose_scoring(AUTO, many)
    assert scores(few, scoring)[0] == scores(many, scoring)[0] == pytest.approx(0.95)


def test_probabilities_stay_as_they_are() -> None:
    raw = f32(0.5, 0.25, 0.125, 0.125)
    assert top5(raw) == ((0, 0.5), (1, 0.25), (2, 0.125), (3, 0.125))


def test_a_certain_answer_stays_certain() -> None:
    assert top5(f32(0.0, 1.0, 0.0)) == ((1, 1.0),)


@pytest.mark.parametrize("scoring", [Scoring.PROBABILITIES, Scoring.SOFTMAX])
def test_a_list_stops_at_scores_that_are_0(scoring: Scoring) -> None:
    low = 0.0 if scoring is Scoring.PROBABILITIES else -200.0  # whose power is 0 as float32
    assert classes(f32(low, 0.75, low, 0.25, low, low, low), scoring) == [1, 3]


def test_a_score_of_0_that_is_no_probability_stays() -> None:
    assert classes(f32(-1.0, 0.0, -2.0), Scoring.UNCHANGED) == [1, 0, 2]


def test_of_probabilities_that_are_all_0_none_is_named() -> None:
    assert rank([f32(0.0, 0.0, 0.0)]) == [Ranked(())]


def test_uint8_scores_are_steps_of_a_256th() -> None:
    raw = np.array([128, 64, 32, 16, 8, 8], np.uint8)
    assert top5(raw) == ((0, 0.5), (1, 0.25), (2, 0.125), (3, 0.0625), (4, 0.03125))


def test_int8_scores_are_steps_of_a_256th_above_minus_128() -> None:
    raw = np.array([0, -64, -96, -112, -120, -120], np.int8)
    assert top5(raw) == ((0, 0.5), (1, 0.25), (2, 0.125), (3, 0.0625), (4, 0.03125))


@pytest.mark.parametrize("raw", [np.array([255, 0], np.uint8), np.array([127, -128], np.int8)])
def test_the_largest_quantised_score_is_255_steps(raw: npt.NDArray[Any]) -> None:
    assert top5(raw) == ((0, 255 * STEP),)


@pytest.mark.parametrize(("count", "total"), [(500, 1.95), (1001, 0.0), (170, 1.33), (340, 1.33)])
def test_a_diffuse_quantised_softmax_is_no_logits(count: int, total: float) -> None:
    raw = one_step_each(count)
    assert raw.sum() * STEP == pytest.approx(total, abs=0.01)
    named = [raw[0] * STEP] * 5 if total else []
    assert scores(raw) == scores(raw.astype(np.float32) * np.float32(STEP)) == named


@pytest.mark.parametrize("shape", [(1, 6), (6, 1), (1, 6, 1, 1), (2, 3)])
def test_the_shape_of_the_output_does_not_matter(shape: tuple[int, ...]) -> None:
    raw = f32(0.1, 0.4, 0.2, 0.15, 0.1, 0.05)
    assert top5(raw.reshape(shape)) == top5(raw)


def test_classes_and_scores_are_plain_python_numbers() -> None:
    assert {type(part) for pair in top5(f32(0.75, 0.25)) for part in pair} == {int, float}


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_are_refused(bad: float, dtype: type[np.floating[Any]]) -> None:
    raw = np.array([0.5, bad, 0.5, 0.0, 0.0, 0.0], dtype)
    for scoring in Scoring:
        (found,) = rank([raw], scoring)
        assert isinstance(found, ItemError)
        assert (found.kind, "not finite" in found.message) == ("bad_output", True)
    with pytest.raises(RuntimeFailure, match="not finite"):
        choose_scoring(NONE, raw)


@pytest.mark.parametrize("scoring", Scoring)
@pytest.mark.parametrize("count", [1, 2, 8, 64])
def test_a_batch_is_ranked_as_its_images_one_by_one(count: int, scoring: Scoring) -> None:
    draw = np.random.default_rng(count)
    raw = draw.random((count, 1001)).astype(np.float32)
    assert rank(list(raw), scoring) == [Ranked(top5(each, scoring)) for each in raw]


def test_an_image_without_an_answer_costs_its_batch_nothing() -> None:
    good, bad = f32(0.1, 0.9), f32(0.1, np.nan)
    found = rank([good, bad, f32(0.3, 7.0), good])
    assert [isinstance(each, ItemError) for each in found] == [False, True, True, False]
    assert found[0] == found[3] == Ranked(top5(good))


def test_no_images_have_no_answers() -> None:
    assert rank([]) == []


@pytest.mark.parametrize("dtype", [np.float64, np.int16, np.int32, np.int64, np.uint16, np.bool_])
def test_other_dtypes_are_refused_by_name(dtype: type[np.generic]) -> None:
    with pytest.raises(RuntimeFailure, match=np.dtype(dtype).name):
        top5(np.zeros(10, dtype))
