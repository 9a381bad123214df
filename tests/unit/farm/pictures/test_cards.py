"""A result becomes plain, bounded data, and can't leave the script that it stands in."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from farm.pictures.cards import MOST_CHARACTERS, MOST_OBJECTS, as_card, link, to_script
from farm.results.result import DetectedObject, Prediction
from tests.helpers.looks import HOSTILE, result
from workers.protocol.messages import DEEPEST_OUTPUT

PAGE = Path("/out/results.html")
BUS = DetectedObject(5, "bus", 0.87654321, (1.04, 2.0, 30.06, 40.0))


def test_classes_with_their_scores_and_whether_they_are_right() -> None:
    made = result("/in/a.jpg", top5=(Prediction(7, "tench", 0.61234567), Prediction(9, "eel", 0.2)))
    card = as_card(made, "tench", PAGE)
    assert card == {
        "id": 0,
        "path": "/in/a.jpg",
        "file": "../in/a.jpg",
        "top": [[7, 0.612346], [9, 0.2]],
        "truth": "tench",
        "right": True,
    }
    assert as_card(made, "eel", PAGE)["right"] is False
    assert "right" not in as_card(made, None, PAGE)


def test_objects_with_their_boxes_the_best_ones() -> None:
    card = as_card(result("a", objects=(BUS,), size=(640, 480)), None, PAGE)
    assert (card["size"], card["objects"]) == ((640, 480), [[5, 0.876543, 1.0, 2.0, 30.1, 40.0]])
    assert "found" not in card
    many = as_card(result("a", objects=(BUS,) * 300, size=(640, 480)), None, PAGE)
    assert (len(many["objects"]), many["found"]) == (MOST_OBJECTS, 300)


def test_an_error_has_its_kind_and_words_and_no_answer() -> None:
    card = as_card(result("a", error=("missing", "no\x1b such\nfile")), "tench", PAGE)
    assert card["error"] == ["missing", "no\\x1b such\nfile"]
    assert card.keys() == {"id", "path", "file", "error"}


def test_simulated_is_said() -> None:
    assert as_card(result("a", top5=(), simulated=True), None, PAGE)["simulated"] is True
    assert "simulated" not in as_card(result("a", top5=()), None, PAGE)


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ({"a": [1, None]}, '{\n  "a": [\n    1,\n    null\n  ]\n}'),
        ("ü\u202e", '"ü\\u202e"'),
        (None, "null"),
        ({"raw": b"\x00"}, '{\n  "raw": "AA=="\n}'),
        ({b"key": 1}, '{\n  "a2V5": 1\n}'),
    ],
)
def test_an_own_output_is_json_that_people_read(output: Any, text: str) -> None:
    assert as_card(result("a", output=output), None, PAGE)["output"] == text


def test_a_long_output_is_cut_and_says_so() -> None:
    text = as_card(result("a", output=["word"] * 10_000), None, PAGE)["output"]
    assert len(text) < MOST_CHARACTERS + 100
    assert re.search(r"and \d+ characters more$", text)


def test_an_output_nested_as_deeply_as_one_may_be_is_no_trouble() -> None:
    nested: Any = 7
    for _ in range(DEEPEST_OUTPUT - 1):
        nested = [nested]
    assert json.loads(as_card(result("a", output=nested), None, PAGE)["output"]) == nested


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_leaves_the_script(text: str) -> None:
    made = to_script({"path": text})
    assert made.isascii()
    assert not re.search(r"[<>&\n]", made)
    assert json.loads(made) == {"path": text}


@pytest.mark.parametrize("text", HOSTILE)
def test_names_are_seen_as_they_are(text: str) -> None:
    card = as_card(result(text, error=("missing", text)), None, PAGE)
    assert card["path"].isprintable()
    assert json.loads(to_script(card)) == card


def test_a_link_leads_from_the_page_to_the_file_and_nowhere_else() -> None:
    assert link("/in/a b#?%.jpg", PAGE) == "../in/a%20b%23%3F%25.jpg"
    assert link("/in/\udcff.jpg", PAGE) == "../in/%FF.jpg"
    assert link("//host/share.jpg", PAGE) == "../host/share.jpg"
    assert link("javascript:alert(1)", Path("results.html")) == "javascript%3Aalert%281%29"
    assert link("\ud800.jpg", PAGE) is None
    assert link("a\0.jpg", PAGE) in {None, link("a", PAGE).__str__() + "%00.jpg"}
