"""The library that resizes pictures, beside the OpenCV of boards, which rounds as no PC does."""

from __future__ import annotations

import numpy as np
import pytest

from workers.images.area import NOT_COMPILED, by_opencv, choose, suits


@pytest.mark.short
def test_a_board_resizes_with_the_library_to_the_bits_of_its_opencv() -> None:
    resize = choose()
    if resize.reason == NOT_COMPILED:
        pytest.skip(resize.reason)
    assert resize.reason == ""
    random, differ, compared = np.random.default_rng(5), [], 0
    while compared < 200:
        width, height = random.integers(1, 400, 2)
        to = int(random.integers(1, width + 1)), int(random.integers(1, height + 1))
        # Few values make many means that are halfway between two.
        picture = random.integers(0, random.choice([2, 16, 256]), (height, width, 3), np.uint8)
        if suits(picture, *to):
            compared += 1
            if not np.array_equal(resize.to_rgb(picture, *to), by_opencv(picture, *to)):
                differ.append((width, height, to))
    assert differ == []
