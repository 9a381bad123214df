"""A result as one readable line, harmless for a terminal."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from farm.results.answer_format import format_of
from farm.results.result import Prediction, Result
from farm.results.text_line import failure_line, line_of
from farm.system.terminal import UNLIMITED
from tests.helpers.results import BUS, classified, detected, failed, result

EVIL = "\x1b[31m"
PATH = os.fsdecode(b"/\x1b[2J\xff\n.jpg")


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (20, "/a.jpg: first, other"),
        (19, "/a.jpg: first"),
        (5, "/a.jpg: first"),
    ],
)
def test_a_line_has_as_many_parts_as_fit_and_always_one(width: int, line: str) -> None:
    assert line_of(result(), ["first", "other"], width) == line


def test_a_line_of_an_item_that_was_no_file_has_its_number() -> None:
    assert line_of(result(path=None), ["first"], UNLIMITED) == "item 7: first"
    assert failure_line(failed("empty", "no bytes", path=None)).startswith("item 7: error")


def test_a_line_of_an_error_has_its_kind_and_reason() -> None:
    line = failure_line(failed("missing", "no such file"))
    assert line == "/a.jpg: error: missing: no such file"


def test_a_simulated_error_is_a_real_error() -> None:
    assert failure_line(failed("empty", "the file is empty", simulated=True)) == (
        "/a.jpg: error: empty: the file is empty"
    )


def test_a_line_of_an_error_escapes_the_path_and_the_reason() -> None:
    line = failure_line(failed("not_an_image", f"{EVIL}\n", path=PATH))
    assert line == r"/\x1b[2J\udcff\n.jpg: error: not_an_image: \x1b[31m\n"


@pytest.mark.parametrize(
    ("task", "found"),
    [
        ("classify", classified(Prediction(0, EVIL, 1.0), path=PATH)),
        ("detect", detected(replace(BUS, label=EVIL), path=PATH)),
        ("my:task", result(output=f"{EVIL}\u202e\x85", path=PATH)),
    ],
)
def test_a_line_of_every_task_escapes_paths_and_answers(task: str, found: Result) -> None:
    line = format_of(task).as_text(found, UNLIMITED)
    assert line.isprintable()
    assert line.startswith(r"/\x1b[2J\udcff\n.jpg: ")
    assert "1b[31m" in line
