"""What a user sets of a detection: checked, with words for people."""

from __future__ import annotations

from typing import Any

import pytest

from workers.errors import RuntimeFailure
from workers.tasks.detect_options import FAMILIES, TAKES, DetectOptions, parse

ANCHORS = [[[10, 13], [16, 30], [33, 23]], [[1, 2], [3, 4], [5, 6]], [[7, 8], [9, 1], [2, 3]]]


def test_without_options_the_defaults_hold() -> None:
    assert parse({}) == DetectOptions(
        family="auto", score=0.25, iou=0.45, limit=300, anchors=None, classes=None
    )


@pytest.mark.parametrize(
    "options",
    [
        *({"family": family} for family in FAMILIES),
        {"score": 0},
        {"score": 1},
        {"iou": 0.0},
        {"iou": 1.0},
        {"limit": 1},
        {"limit": 1000},
        {"anchors": None, "classes": None},
        {"classes": [0, "bus"]},
    ],
)
def test_what_an_option_takes_is_taken(options: dict[str, Any]) -> None:
    found = parse(options)
    for name, value in options.items():
        expected = tuple(value) if isinstance(value, list) else value
        assert getattr(found, name) == expected


def test_anchors_are_three_triples_of_pairs() -> None:
    assert parse({"anchors": ANCHORS}).anchors == (
        ((10, 13), (16, 30), (33, 23)),
        ((1, 2), (3, 4), (5, 6)),
        ((7, 8), (9, 1), (2, 3)),
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("family", "yolo"),
        ("family", 8),
        ("family", None),
        ("score", -0.1),
        ("score", 1.1),
        ("score", float("nan")),
        ("score", True),
        ("score", "0.3"),
        ("iou", 2),
        ("iou", None),
        ("limit", 0),
        ("limit", 1001),
        ("limit", 2.5),
        ("anchors", ANCHORS[:2]),
        ("anchors", [ANCHORS[0][:2]] * 3),
        ("anchors", [[[10, 0], [16, 30], [33, 23]]] * 3),
        ("anchors", [[[10, float("inf")], [16, 30], [33, 23]]] * 3),
        ("anchors", "10,13"),
        ("classes", []),
        ("classes", [-1]),
        ("classes", [1.5]),
        ("classes", [True]),
        ("classes", [""]),
        ("classes", "bus"),
    ],
)
def test_what_it_does_not_take_is_refused_with_what_it_takes(name: str, value: object) -> None:
    with pytest.raises(RuntimeFailure) as raised:
        parse({"score": 0.5, name: value})
    assert str(raised.value).startswith(f"{name}: ")
    assert TAKES[name] in str(raised.value)


@pytest.mark.parametrize(
    ("options", "near"),
    [
        ({"famly": "auto"}, "family"),
        ({"scores": 0.5}, "score"),
        ({"IoU": 0.5}, "iou"),
        ({"family": "yolo8"}, "yolov8"),
        ({"family": "YOLOv5"}, "yolov5"),
        ({"family": "yolov11"}, "yolo11"),
    ],
)
def test_the_nearest_name_is_told(options: dict[str, Any], near: str) -> None:
    with pytest.raises(RuntimeFailure, match=f"did you mean {near}"):
        parse(options)


@pytest.mark.parametrize("name", ["verbose", 1, None])
def test_an_unknown_option_is_refused_with_those_that_are_known(name: Any) -> None:
    with pytest.raises(RuntimeFailure, match="known options: family, score, iou, limit"):
        parse({name: 1})


def test_every_option_has_its_words() -> None:
    assert tuple(TAKES) == DetectOptions.__struct_fields__
