"""The objects in an image as JSON, CSV and text."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from farm.results.objects_format import ObjectsFormat
from farm.system.terminal import UNLIMITED
from tests.helpers.results import BUS, PERSON, detected

answers = ObjectsFormat()


def row(**cells: Any) -> dict[str, Any]:
    return {**dict.fromkeys(answers.csv_head, ""), "image_width": 640, "image_height": 480, **cells}


def rows_of(*objects: Any) -> list[dict[str, Any]]:
    rows = answers.as_cells(detected(*objects))
    return [dict(zip(answers.csv_head, cells, strict=True)) for cells in rows]


def text(*objects: Any, width: int = UNLIMITED, **changes: Any) -> str:
    return answers.as_text(detected(*objects, **changes), width)


def test_json_has_the_objects_and_the_images_size() -> None:
    odd = replace(BUS, label=None, score=1 / 3, box=(0.005, 1 / 3, 99.999, 479.0))
    assert answers.as_json(detected(BUS, odd)) == {
        "objects": [
            {"class": 5, "label": "bus", "score": 0.88, "box": [1.0, 2.0, 30.5, 40.25]},
            {"class": 5, "label": None, "score": 0.333333, "box": [0.01, 0.33, 100.0, 479.0]},
        ],
        "size": (640, 480),
    }


def test_json_of_an_image_without_objects_is_an_empty_list() -> None:
    assert answers.as_json(detected()) == {"objects": [], "size": (640, 480)}


def test_a_table_has_a_row_for_each_object() -> None:
    edges = ("left", "top", "right", "bottom")
    assert rows_of(BUS, replace(PERSON, label=None)) == [
        row(**{"class": 5, "label": "bus", "score": "0.88"})
        | dict(zip(edges, ("1.00", "2.00", "30.50", "40.25"), strict=True)),
        row(**{"class": 0, "label": None, "score": "0.87"})
        | dict(zip(edges, ("0.00", "0.00", "10.00", "20.00"), strict=True)),
    ]


def test_a_table_has_one_row_for_an_image_without_objects() -> None:
    assert rows_of() == [row()]


def test_a_line_has_each_class_once_with_its_best_score_and_its_count() -> None:
    people = [replace(PERSON, score=score) for score in (0.87, 0.5, 0.3)]
    assert text(BUS, *people) == "/a.jpg: bus 88.0 %, person 87.0 % x3"


def test_a_line_counts_classes_not_names() -> None:
    """Two labels may begin alike."""
    young = replace(BUS, class_id=6, label="bus, a young one")
    assert text(BUS, young) == "/a.jpg: bus 88.0 %, bus 88.0 %"


@pytest.mark.parametrize(
    ("width", "line"), [(33, "bus 88.0 %, person 87.0 %"), (32, "bus 88.0 % ...")]
)
def test_a_line_has_as_many_classes_as_fit_and_tells_of_others(width: int, line: str) -> None:
    assert text(BUS, PERSON, width=width) == f"/a.jpg: {line}"


def test_a_line_of_an_image_without_objects_says_so() -> None:
    assert text() == "/a.jpg: no objects"


def test_a_simulated_line_says_so_and_never_names_a_label() -> None:
    assert text(BUS, BUS, simulated=True) == "/a.jpg: simulated: class 5 88.0 % x2"
    assert text(replace(BUS, label=None)) == "/a.jpg: class 5 88.0 %"
