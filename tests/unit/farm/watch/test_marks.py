from __future__ import annotations

import pytest
from rich.color import Color

from farm.watch.marks import (
    ASCII_LEVELS,
    BAD,
    BUSY,
    GOOD,
    LEVELS,
    WARNING,
    Sparkline,
    heat,
    load_bar,
)
from tests.helpers.colours import contrast
from tests.helpers.pictures_of_farms import text_of

BACKGROUNDS = {
    "black": "#000000",
    "white": "#ffffff",
    "Solarized dark": "#002b36",
    "Solarized light": "#fdf6e3",
    "Ubuntu": "#300a24",
}


@pytest.mark.parametrize("background", BACKGROUNDS)
@pytest.mark.parametrize("style", [GOOD, BUSY, WARNING, BAD])
def test_a_colour_is_readable_on_light_and_dark(style: str, background: str) -> None:
    colour = Color.parse(style)
    assert colour.number is not None
    assert colour.number >= 16  # the others are what each terminal makes of them
    assert contrast(colour.get_truecolor().hex, BACKGROUNDS[background]) >= 3


def test_a_sparkline_shows_the_last_values_from_zero_to_the_highest() -> None:
    assert text_of(Sparkline([9, 0, 1, 2, 4, 7]), 5) == ["▁▂▃▅█"]


def test_a_sparkline_with_a_limit_stays_below_it() -> None:
    assert text_of(Sparkline([0.0, 0.5, 2.0], 1.0), 10) == ["▁▅█"]


@pytest.mark.parametrize("values", [(), (0, 0)])
def test_a_sparkline_of_nothing_is_flat(values: tuple[float, ...]) -> None:
    assert "".join(text_of(Sparkline(values), 10)) == "▁" * len(values)


def test_what_has_no_blocks_gets_a_sparkline_of_ascii() -> None:
    shown = text_of(Sparkline(range(8)), 10, encoding="latin-1")
    assert shown == [ASCII_LEVELS]
    assert len(ASCII_LEVELS) == len(LEVELS)


def test_a_bar_is_as_long_as_its_share() -> None:
    shown = ["".join(text_of(load_bar(share), 20)) for share in (0.0, 0.5, 1.0)]
    assert list(map(len, shown)) == [0, 10, 20]


def test_a_temperature_has_a_colour_once_a_soc_slows_down() -> None:
    assert [heat(degrees) for degrees in (74.9, 75.0, 85.0)] == ["", WARNING, BAD]
