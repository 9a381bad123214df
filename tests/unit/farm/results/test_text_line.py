"""A result as one readable line, harmless for a terminal."""

from __future__ import annotations

import os
from typing import Any

import pytest

from farm.results.result import Prediction, Result, Timings
from farm.results.stats import PHASES
from farm.results.text_line import to_text
from workers.protocol.messages import ItemError

TOP5 = (Prediction(3, "tench, Tinca tinca", 0.5), Prediction(0, "hen", 0.25))


def result(**changes: Any) -> Result:
    return Result(
        **{
            "id": 7,
            "path": "/a.jpg",
            "top5": TOP5,
            "error": None,
            "worker": 2,
            "attempts": 1,
            "ms": Timings(**dict.fromkeys(PHASES, 1.0)),
            "simulated": False,
            **changes,
        }
    )


def failed(kind: str, message: str, **changes: Any) -> Result:
    return result(top5=None, error=ItemError(kind, message), **changes)


def test_a_line_is_the_path_and_the_best_classes() -> None:
    assert to_text(result()) == "/a.jpg: tench 50.0 %, hen 25.0 %"


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (31, "/a.jpg: tench 50.0 %"),
        (32, "/a.jpg: tench 50.0 %, hen 25.0 %"),
        (5, "/a.jpg: tench 50.0 %"),
    ],
)
def test_a_line_has_as_many_classes_as_fit(width: int, line: str) -> None:
    assert to_text(result(), width) == line


def test_a_line_without_labels_has_class_numbers() -> None:
    assert to_text(result(top5=(Prediction(3, None, 0.5),))) == "/a.jpg: class 3 50.0 %"


def test_a_line_of_an_item_that_was_no_file_has_its_number() -> None:
    assert to_text(result(path=None)).startswith("item 7: tench ")


def test_a_line_of_an_error_has_its_kind_and_reason() -> None:
    assert to_text(failed("missing", "no such file")) == "/a.jpg: error: missing: no such file"


def test_a_line_escapes_paths_labels_and_reasons() -> None:
    path, evil = os.fsdecode(b"/\x1b[2J\xff\n.jpg"), "\x1b[31m"
    for each in (
        result(path=path, top5=(Prediction(0, evil, 1.0),)),
        failed("not_an_image", evil + "\n", path=path),
    ):
        assert to_text(each).isprintable()
        assert to_text(each).startswith(r"/\x1b[2J\udcff\n.jpg: ")
        assert r"\x1b[31m" in to_text(each)


def test_a_simulated_line_says_so() -> None:
    unnamed = (Prediction(3, None, 0.5), Prediction(0, None, 0.25))
    said = to_text(result(top5=unnamed, simulated=True))
    assert said == "/a.jpg: simulated: class 3 50.0 %, class 0 25.0 %"


def test_a_simulated_line_never_names_a_label() -> None:
    assert to_text(result(simulated=True)) == "/a.jpg: simulated: class 3 50.0 %, class 0 25.0 %"


def test_a_simulated_error_is_a_real_error() -> None:
    assert to_text(failed("empty", "the file is empty", simulated=True)) == (
        "/a.jpg: error: empty: the file is empty"
    )
