"""Classes are told apart by their colours, and names are read on them."""

from __future__ import annotations

from itertools import pairwise

from farm.pictures.colours import BLACK, Colour, colour, ink, luminance


def contrast(one: Colour, other: Colour) -> float:
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


def test_a_class_has_always_the_same_colour_and_no_other_of_the_first_thousand() -> None:
    made = [colour(number) for number in range(1000)]
    assert made == [colour(number) for number in range(1000)]
    assert len(set(made)) > 990  # of those far from each other, a few meet


def test_neighbours_are_far_from_each_other() -> None:
    for one, other in pairwise(colour(number) for number in range(80)):
        assert sum(abs(a - b) for a, b in zip(one, other, strict=True)) > 120


def test_a_name_can_be_read_on_any_of_them() -> None:
    assert min(contrast(ink(made), made) for made in map(colour, range(1000))) >= 4.5
    assert contrast(BLACK, (255, 255, 255)) > 20.9
