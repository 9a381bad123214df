"""Walls, paint and camera of sample images: sizes, ranges, and what stays unpainted."""

from __future__ import annotations

import numpy as np
import pytest

from farm.sources.glyphs import SIDE
from farm.sources.scene import (
    expose,
    paint,
    random_texture,
    random_tint,
    random_wall,
)

SIZE = (90, 120)
VIEW = np.diag([120 / SIDE, 90 / SIDE, 1.0])  # the whole mask on the whole scene


@pytest.mark.parametrize("kind", range(5))
def test_a_texture_is_a_plane_of_the_size_that_is_not_flat(kind: int) -> None:
    made = random_texture(np.random.default_rng(0), (375, 500), kind)
    assert made.shape == (375, 500)
    assert made.dtype == np.float32
    assert made.std() > 0.1


@pytest.mark.parametrize("luma", [0.1, 0.5, 0.9])
def test_a_tint_has_about_the_brightness_asked_for(luma: float) -> None:
    rng = np.random.default_rng(0)
    tints = np.stack([random_tint(rng, luma) for _ in range(50)])
    assert (tints >= 0).all()
    assert (tints <= 255).all()
    assert np.mean(tints @ [0.114, 0.587, 0.299]) / 255 == pytest.approx(luma, abs=0.05)


def test_a_wall_and_its_exposures_keep_size_and_type() -> None:
    rng = np.random.default_rng(0)
    wall = random_wall(rng, SIZE, random_tint(rng, 0.5))
    for image in (wall, *(expose(rng, wall) for _ in range(9))):
        assert image.shape == (*SIZE, 3)
        assert image.dtype == np.uint8


def test_paint_covers_the_mask_and_nothing_else() -> None:
    scene = np.full((*SIZE, 3), 10, np.uint8)
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[: SIDE // 2] = 255
    colour = np.array([200.0, 100.0, 50.0])
    painted = paint(scene, mask, VIEW, colour, 1.0)
    assert np.all(painted[:40] == colour)
    assert np.all(painted[50:] == 10)
    assert np.all(scene == 10)


def test_an_empty_mask_leaves_the_scene_as_it_is() -> None:
    scene = np.full((*SIZE, 3), 10, np.uint8)
    assert paint(scene, np.zeros((SIDE, SIDE), np.uint8), VIEW, np.zeros(3), 1.0) is scene
