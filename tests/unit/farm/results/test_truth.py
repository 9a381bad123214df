"""What a path tells of the right label."""

from __future__ import annotations

import pytest

from farm.results.truth import by_folder, by_pattern

NAMES = ("tench, Tinca tinca", "tiger cat", "Cat", "T-shirt", " ,")


@pytest.mark.parametrize(
    ("path", "label"), [("a_X.jpg", "X"), ("/x/b_Y.jpg", "Y"), ("a.jpg", None)]
)
def test_a_pattern_finds_the_label_in_a_path(path: str, label: str | None) -> None:
    assert by_pattern(r"_(.)\.jpg$")(path) == label


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("/photos/tiger cat/1.jpg", "tiger cat"),
        ("tiger_cat/1.jpg", "tiger cat"),
        ("Tiger-Cat/./1.jpg", "tiger cat"),
        ("cat/1.jpg", "Cat"),
        ("t_shirt/1.jpg", "T-shirt"),
        ("tench/1.jpg", "tench, Tinca tinca"),
        ("tinca_tinca/1.jpg", "tench, Tinca tinca"),
        ("n02123159/1.jpg", "tiger cat"),
        ("cat/unsorted/1.jpg", None),
        ("1/1.jpg", None),
        ("1.jpg", None),
        ("/1.jpg", None),
        ("_/1.jpg", None),
    ],
)
def test_a_folder_is_named_after_its_label(path: str, label: str | None) -> None:
    assert by_folder(NAMES, {"n02123159": "tiger cat"})(path) == label
