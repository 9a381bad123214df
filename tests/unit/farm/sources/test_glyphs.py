"""Characters as masks: each its own, all ink inside the mask and the image."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from farm.sources.glyphs import SIDE, STROKES, Mask, Typeface, random_backing, random_view
from farm.sources.renders import CLASSES

SEED = 7


def test_every_class_has_strokes_of_its_own() -> None:
    face = Typeface.random(np.random.default_rng(SEED))
    assert set(STROKES) == set(CLASSES)
    assert len({face.draw(label).tobytes() for label in CLASSES}) == len(CLASSES)


def _edges(mask: Mask) -> Mask:
    return np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])


@pytest.mark.parametrize("label", CLASSES)
def test_ink_stays_on_the_mask_and_inside_the_picture(label: str) -> None:
    rng = np.random.default_rng(SEED)
    for _ in range(10):
        mask = Typeface.random(rng).draw(label)
        assert mask.any()
        assert not _edges(mask).any()
        seen = cv2.warpPerspective(mask, random_view(rng, mask, (375, 500)), (500, 375))
        assert seen.any()
        assert not _edges(np.asarray(seen, np.uint8)).any()


def test_masks_are_squares_of_bytes() -> None:
    mask = Typeface.random(np.random.default_rng(SEED)).draw("A")
    assert mask.dtype == np.uint8
    assert mask.shape == (SIDE, SIDE)
    assert np.max(mask) == 255


def test_an_unknown_character_is_refused() -> None:
    with pytest.raises(KeyError):
        Typeface.random(np.random.default_rng(SEED)).draw("a")


def test_backings_are_masks_of_the_same_size_with_none_among_them() -> None:
    rng = np.random.default_rng(SEED)
    glyph = Typeface.random(rng).draw("A")
    backings = [random_backing(rng, glyph) for _ in range(20)]
    assert {(each.shape, each.dtype) for each in backings} == {((SIDE, SIDE), np.dtype(np.uint8))}
    assert 0 < sum(bool(each.any()) for each in backings) < len(backings)
