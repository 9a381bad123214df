"""Lines below a picture: all are there, and the picture stays as it is."""

from __future__ import annotations

import numpy as np
import pytest

from farm.pictures.fonts import Fonts
from farm.pictures.strip import GROUND, LEAST_WIDTH, MOST_WRAPPED, Row, below, stamp, wrapped
from farm.pictures.text import line

FONTS = Fonts(())
NOISE = np.random.default_rng(1)


@pytest.mark.parametrize("size", [(300, 200), (32, 32), (1, 1)])
def test_the_picture_is_above_them_unchanged(size: tuple[int, int]) -> None:
    image = NOISE.integers(0, 256, (size[1], size[0], 3), np.uint8)
    made = below(image, [Row("cat"), Row("dog")], FONTS, 12)
    assert np.array_equal(made[: size[1], : size[0]], image)
    assert made.shape[1] == max(size[0], LEAST_WIDTH)
    assert (made[: size[1], size[0] :] == GROUND).all()


def test_each_line_has_its_ink_and_its_mark() -> None:
    image = np.zeros((100, 300, 3), np.uint8)
    one = below(image, [Row("cat", mark=(255, 0, 10))], FONTS, 16)
    two = below(image, [Row("cat", mark=(255, 0, 10)), Row("dog", " 5 %")], FONTS, 16)
    assert len(two) > len(one) > 100
    assert (one[100:] == (10, 0, 255)).all(axis=2).sum() == 12 * 12
    assert one[100:].max() == 255
    assert (one[-2:] == GROUND).all()


def test_a_long_line_is_cut_at_the_edge() -> None:
    made = below(np.zeros((50, 300, 3), np.uint8), [Row("a long text" * 50, " 5 %")], FONTS, 16)
    assert made.shape[1] == 300
    assert (made[50:, -3:] == GROUND).all()


def test_a_text_is_wrapped_and_nothing_of_it_is_lost() -> None:
    text = '{"text":"ABC 123","found":[1,2,3],"more":"abcdefghijklmnopqrstuvwxyz"}'
    rows = [row.text for row in wrapped(text, FONTS, 12, 240)]
    assert "".join(rows) == text
    assert len(rows) > 1
    assert all(line(FONTS, row, 12).mask.shape[1] <= 240 for row in rows)


def test_a_text_without_end_is_cut() -> None:
    rows = [*wrapped("x" * 10**6, FONTS, 12, 240)]
    assert len(rows) == MOST_WRAPPED
    made = below(np.zeros((50, 240, 3), np.uint8), rows, FONTS, 12)
    assert len(made) < 250


def test_a_stamp_changes_what_is_below_its_ink_only() -> None:
    image = NOISE.integers(0, 256, (20, 30, 3), np.uint8)
    before = image.copy()
    mask = np.zeros((5, 6), np.uint8)
    mask[1, 2], mask[2, 3] = 255, 128
    stamp(image, mask, (10, 7), (1, 2, 3))
    assert tuple(image[8, 12]) == (3, 2, 1)
    half = (before[9, 13] + np.array([3, 2, 1])) / 2
    assert abs(image[9, 13] - half).max() <= 1
    image[8, 12], image[9, 13] = before[8, 12], before[9, 13]
    assert np.array_equal(image, before)
