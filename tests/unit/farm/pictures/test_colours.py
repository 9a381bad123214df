"""Classes are told apart by their colours, and names are read on them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from farm.pictures.colours import BLACK, Colour, colour, ink, luminance


def contrast(one: Colour, other: Colour) -> float:
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


def test_a_class_has_always_the_same_colour_and_no_other_of_the_first_thousand() -> None:
    made = [colour(number) for number in range(1000)]
    assert made == [colour(number) for number in range(1000)]
    assert len(set(made)) > 990  # of those far from each other, a few meet


@pytest.mark.parametrize(("count", "apart"), [(20, 40), (80, 19)])
def test_the_first_classes_are_told_apart(count: int, apart: float) -> None:
    """By the distance in CIE Lab, of which 2 can just be seen side by side."""
    shown = np.array([colour(number) for number in range(count)], np.float32)[:, np.newaxis]
    lab = np.asarray(cv2.cvtColor(shown / 255, cv2.COLOR_RGB2LAB))
    distances = np.linalg.norm(lab - lab.transpose(1, 0, 2), axis=2)
    assert distances[~np.eye(count, dtype=bool)].min() > apart


def test_a_name_can_be_read_on_any_of_them() -> None:
    assert min(contrast(ink(made), made) for made in map(colour, range(1000))) >= 4.5
    assert contrast(BLACK, (255, 255, 255)) > 20.9
