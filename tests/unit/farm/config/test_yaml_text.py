"""The text of a config: where its keys stand, and where what is wrong with its YAML."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.config.yaml_text import Place, parse
from farm.errors import ConfigError


def places(text: str) -> dict[str, tuple[int, int]]:
    return {key: (at.line, at.column) for key, at in parse(text, "x").places.items()}


def wrong(text: str) -> dict[tuple[int, int], str]:
    return {(at.line, at.column): said for at, said in parse(text, "x").wrong.items()}


def test_keys_of_two_levels_have_places() -> None:
    text = "# a\na: 1\n\n'b':\n  c: [1]\n  d: {e: 2}\nf: {g: 3, h: 4}\n"
    assert places(text) == {
        "a": (2, 1), "b": (4, 1), "b.c": (5, 3), "b.d": (6, 3),
        "f": (7, 1), "f.g": (7, 5), "f.h": (7, 11),
    }  # fmt: skip
    assert parse(text, "x").values["f"] == {"g": 3, "h": 4}


@pytest.mark.parametrize("text", ["", "# a", "a", "3", "- a: 1"])
def test_what_is_no_mapping_has_no_places(text: str) -> None:
    assert places(text) == {}


def test_references_have_the_places_of_their_keys() -> None:
    assert places("a: &x {c: 1}\nb: *x\n")["b"] == (2, 1)
    assert parse("a: &x {c: 1}\nb:\n  <<: *x\n", "x").values["b"] == {"c": 1}
    assert wrong("a: &x {c: 1}\nb:\n  <<: *x\n  c: 2\n") == {}
    assert places("a: &x {c: *x}\n")["a"] == (1, 1)


@pytest.mark.parametrize(
    ("text", "place", "part"),
    [
        ("a: 1\nb: 2\na: 3\n", (3, 1), "line 1"),
        ("a:\n  b: 1\n  b: 1\n", (3, 3), "a.b: given twice"),
        ("on: 1\n", (1, 1), "on: no name"),
        ("a:\n  3: 1\n", (2, 3), "3: no name"),
        ("~: 1\n", (1, 1), "~: no name"),
    ],
)
def test_a_key_that_can_not_be_one_is_told(text: str, place: tuple[int, int], part: str) -> None:
    ((at, said),) = wrong(text).items()
    assert at == place
    assert part in said


def test_of_a_key_given_twice_the_place_is_that_of_the_one_that_counts() -> None:
    assert places("a: 1\na: 2\n") == {"a": (2, 1)}
    assert parse("a: 1\na: 2\n", "x").values == {"a": 2}


def test_a_date_is_text() -> None:
    assert parse("images: 2026-11-25\nb: 2024-13-45", "x").values == {
        "images": "2026-11-25",
        "b": "2024-13-45",
    }


@pytest.mark.parametrize(
    ("text", "place", "part"),
    [
        ("a: 1\n\tb: 2", "2:1", "a tab"),
        ("a: b: c", "1:5", "a second `: `"),
        ("a: 1\n  b: 2", "2:4", "indentation"),
        ("a: 1\nb", "2:1", "no `: `"),
        ("a: 1\nb: 'x\n\n", "2:4", "a quote without"),
        ('a: "C:\\d"', "1:8", "single quotes"),
        ("a: 1\nb: [4\nc: 3\n", "2:4", "a [ without"),
        ("b: {c: 4", "1:4", "a { without"),
        ("a: [", "1:5", "without its end"),
        ("a: ]", "1:4", "no value"),
        ("a:\n  b: 1\n c: 2", "3:2", "its indentation"),
        ("a: 1\nimages: *.jpg", "2:10", "* begins"),
        ("a: *x", "1:4", "* begins"),
        ("a: & b", "1:5", "& begins"),
        ("a: !x b", "1:4", "! begins"),
        ("a: @b", "1:4", "can't begin"),
        ("a: 1\n---\nb: 2", "2:1", "a second document"),
        ("a: 1\nb: \x00", "2:4", "a control character"),
        ("? [1]\n: 2", "1:3", "can't be a key"),
    ],
)
def test_invalid_yaml_is_told_in_our_words_with_line_and_column(
    text: str, place: str, part: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text, "farm.yaml")
    said = str(caught.value)
    assert said.startswith(f"farm.yaml:{place}: invalid YAML: ")
    assert part in said
    assert len(said.splitlines()) == 1


@given(st.text(st.sampled_from("ab:-?[]{}#&*!|>'\"%@` \n\t\x00,1~<é\\"), max_size=20))
def test_any_text_has_values_or_one_reason(text: str) -> None:
    try:
        found = parse(text, "x").places
    except ConfigError as error:
        said = str(error)
    else:
        said = "\n\n".join(key for key, place in found.items() if place < Place(1, 1))
    assert len(said.splitlines()) <= 1
