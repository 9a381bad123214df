"""A line has all its letters on one baseline, and no more than the room for it."""

from __future__ import annotations

import numpy as np
import pytest

from farm.pictures.faces import Drawn
from farm.pictures.fonts import Fonts
from farm.pictures.text import fitted, joined, line

FONTS = Fonts(())


def test_lines_of_one_size_are_as_high() -> None:
    heights = {
        (each.above, each.below) for each in (line(FONTS, text, 20) for text in ("a", "gÁ|y", ""))
    }
    assert len(heights) == 1
    assert line(FONTS, "a", 40).above > line(FONTS, "a", 20).above


def test_no_two_names_look_the_same() -> None:
    names = ("é", "ß", "Я", "猫", "عربى", "한국어", "cat", "tac")
    assert len({line(FONTS, name, 24).mask.tobytes() for name in names}) == len(names)


def test_what_fits_is_whole() -> None:
    whole = joined([line(FONTS, "person", 20), line(FONTS, " 87 %", 20)]).mask
    assert np.array_equal(fitted(FONTS, "person", 20, whole.shape[1], " 87 %"), whole)


@pytest.mark.parametrize("text", ["a name that is too long", "猫" * 50, "W" * 1000])
def test_what_does_not_fit_is_cut_and_its_end_stays(text: str) -> None:
    cut = fitted(FONTS, text, 20, 120, " 87 %")
    end = line(FONTS, " 87 %", 20).mask
    assert 60 < cut.shape[1] <= 120
    assert np.array_equal(cut[:, -30:], end[:, -30:])


def test_where_there_is_room_for_nothing_it_ends() -> None:
    assert fitted(FONTS, "person", 20, 3).shape[1] <= 3


def test_texts_are_joined_on_their_baseline() -> None:
    high, deep = np.full((5, 2), 9, np.uint8), np.full((3, 1), 7, np.uint8)
    made = joined([Drawn(high, 5), Drawn(deep, 1)])
    assert (made.above, made.below) == (5, 2)
    assert made.mask[:, 0].tolist() == [9, 9, 9, 9, 9, 0, 0]
    assert made.mask[:, 2].tolist() == [0, 0, 0, 0, 7, 7, 7]
