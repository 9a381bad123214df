"""Top-5 lists as JSON, CSV and text."""

from __future__ import annotations

import pytest

from farm.results.result import Prediction
from farm.results.top5_format import Top5Format
from farm.system.terminal import UNLIMITED
from tests.helpers.results import HEN, TENCH, classified

answers = Top5Format()


def test_json_has_a_class_a_label_and_a_score_of_six_digits() -> None:
    assert answers.as_json(classified(TENCH, Prediction(9, None, 1 / 3))) == {
        "top5": [
            {"class": 3, "label": "tench, Tinca tinca", "score": 0.5},
            {"class": 9, "label": None, "score": 0.333333},
        ]
    }


@pytest.mark.parametrize("classes", [0, 1, 5])
def test_a_row_is_as_wide_as_its_head(classes: int) -> None:
    (cells,) = answers.as_cells(classified(*[HEN] * classes))
    assert len(cells) == len(answers.csv_head) == 15
    assert cells == (0, "hen", "0.25") * classes + ("",) * 3 * (5 - classes)


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (31, "/a.jpg: tench 50.0 %"),
        (32, "/a.jpg: tench 50.0 %, hen 25.0 %"),
        (5, "/a.jpg: tench 50.0 %"),
    ],
)
def test_a_line_has_as_many_classes_as_fit(width: int, line: str) -> None:
    assert answers.as_text(classified(TENCH, HEN), width) == line


def test_a_line_without_labels_has_class_numbers() -> None:
    unnamed = classified(Prediction(3, None, 0.5))
    assert answers.as_text(unnamed, UNLIMITED) == "/a.jpg: class 3 50.0 %"


def test_a_simulated_line_says_so_and_never_names_a_label() -> None:
    said = answers.as_text(classified(TENCH, HEN, simulated=True), UNLIMITED)
    assert said == "/a.jpg: simulated: class 3 50.0 %, class 0 25.0 %"


def test_a_list_that_stops_before_its_first_class_has_words() -> None:
    assert answers.as_text(classified(), UNLIMITED) == "/a.jpg: all scores are 0"
