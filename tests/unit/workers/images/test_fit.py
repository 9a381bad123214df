"""Where an image goes in the input, and where a box of the input is in the image."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.images.fit import ImageInfo, Placement, place
from workers.protocol.spec import CROP, LETTERBOX, NHWC, STRETCH, UINT8, InputSpec

FITS = (STRETCH, LETTERBOX, CROP)
sides = st.integers(1, 6000)
sizes = st.tuples(sides, sides)


def spec(fit: str, width: int = 640, height: int = 640) -> InputSpec:
    return InputSpec(width=width, height=height, layout=NHWC, dtype=UINT8, fit=fit)


def to_input(info: ImageInfo, boxes: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Boxes of an image as boxes of the input, by the definition of scale and padding."""
    scaled: npt.NDArray[Any] = boxes * (info.scale * 2) + info.padding * 2
    return scaled


# Of ultralytics' LetterBox: r = min(H / h, W / w), round(w * r), round(h * r),
# left and top round((W - new) / 2 - 0.1); computed by hand.
@pytest.mark.parametrize(
    ("size", "to", "target"),
    [
        ((640, 480), (640, 640), (0, 80, 640, 480)),
        ((1280, 720), (640, 640), (0, 140, 640, 360)),
        ((720, 1280), (640, 640), (140, 0, 360, 640)),
        ((810, 1080), (640, 640), (80, 0, 480, 640)),
        ((500, 375), (640, 640), (0, 80, 640, 480)),  # made larger
        ((499, 333), (640, 640), (0, 106, 640, 427)),  # 427.09; 213 rows of grey: 106 and 107
        ((333, 499), (416, 416), (69, 0, 278, 416)),  # 277.6
        ((1, 1), (416, 416), (0, 0, 416, 416)),
        ((1, 5000), (640, 640), (319, 0, 1, 640)),  # 0.128
        ((5000, 1), (320, 240), (0, 119, 320, 1)),
        ((100, 100), (320, 192), (64, 0, 192, 192)),
        ((7, 3), (10, 10), (0, 3, 10, 4)),  # 4.29
    ],
)
def test_a_letterbox_is_that_of_ultralytics(
    size: tuple[int, int], to: tuple[int, int], target: tuple[int, ...]
) -> None:
    assert place(size, spec(LETTERBOX, *to)) == Placement(size, (0, 0, *size), target)  # type: ignore[arg-type]


@given(sizes, sizes)
def test_every_letterbox_follows_the_formula(size: tuple[int, int], to: tuple[int, int]) -> None:
    ratio = min(to[1] / size[1], to[0] / size[0])
    new = [round(side * ratio) or 1 for side in size]
    beside = [(side - inner) / 2 for side, inner in zip(to, new, strict=True)]
    found = place(size, spec(LETTERBOX, *to))
    assert found.target == (*(round(half - 0.1) for half in beside), *new)
    assert found.part == (0, 0, *size)


@pytest.mark.parametrize(
    ("size", "to", "part"),
    [
        ((640, 480), (224, 224), (80, 0, 480, 480)),
        ((480, 641), (224, 224), (0, 80, 480, 480)),
        ((100, 100), (320, 160), (0, 25, 100, 50)),
        ((50, 20), (224, 224), (15, 0, 20, 20)),
        ((1, 5000), (640, 640), (0, 2499, 1, 1)),
        ((5000, 1), (10, 1000), (2499, 0, 1, 1)),
        ((300, 200), (300, 200), (0, 0, 300, 200)),
    ],
)
def test_a_crop_is_the_middle(
    size: tuple[int, int], to: tuple[int, int], part: tuple[int, ...]
) -> None:
    found = place(size, spec(CROP, *to))
    assert found == Placement(size, part, (0, 0, *to))  # type: ignore[arg-type]


@given(sizes, sizes)
def test_a_crop_is_as_large_as_can_be_of_the_inputs_shape(
    size: tuple[int, int], to: tuple[int, int]
) -> None:
    left, top, width, height = place(size, spec(CROP, *to)).part
    assert width == size[0] or height == size[1]
    assert abs(width - to[0] / to[1] * height) <= 0.5 * (1 + to[0] / to[1]) or 1 in (width, height)
    assert 0 <= left <= (size[0] - width) / 2 < left + 1
    assert 0 <= top <= (size[1] - height) / 2 < top + 1


@given(sizes, sizes, st.sampled_from(FITS))
def test_target_and_padding_fill_the_input_and_the_part_is_in_the_image(
    size: tuple[int, int], to: tuple[int, int], fit: str
) -> None:
    found = place(size, spec(fit, *to))
    for (start, length), side in zip(zip(found.part[:2], found.part[2:], strict=True), size,
                                     strict=True):  # fmt: skip
        assert start >= 0
        assert 1 <= length <= side - start
    for start, length, side in zip(found.target[:2], found.target[2:], to, strict=True):
        after = side - start - length
        assert length >= 1
        assert 0 <= start <= after <= start + 1
    if fit != LETTERBOX:
        assert found.target == (0, 0, *to)


@given(sizes, sizes, st.sampled_from(FITS), st.lists(st.tuples(sides, sides, sides, sides)))
def test_a_box_comes_back_from_the_input(
    size: tuple[int, int], to: tuple[int, int], fit: str, drawn: list[tuple[int, ...]]
) -> None:
    info = place(size, spec(fit, *to)).info(None)
    boxes = np.array(drawn).reshape(-1, 4) % np.array([side + 1 for side in size * 2])
    assert (info.width, info.height) == size
    assert np.allclose(info.to_image(to_input(info, boxes)), boxes, atol=1e-6)


@given(sizes, sizes, st.sampled_from(FITS))
def test_the_part_of_the_image_is_where_the_target_is(
    size: tuple[int, int], to: tuple[int, int], fit: str
) -> None:
    found = place(size, spec(fit, *to))
    (left, top, width, height), (x, y, new_width, new_height) = found.part, found.target
    box = to_input(found.info(None), np.array([[left, top, left + width, top + height]]))
    assert np.allclose(box, [[x, y, x + new_width, y + new_height]], atol=1e-6)


def test_a_box_beyond_the_image_ends_at_its_edges() -> None:
    info = place((640, 320), spec(LETTERBOX)).info("a.jpg")
    assert info == ImageInfo(640, 320, (1.0, 1.0), (0.0, 160.0), "a.jpg")
    boxes = np.array([[-5, 100, 700, 540], [0, 0, 640, 100], [10, 170, 20, 180]], np.float32)
    assert info.to_image(boxes).tolist() == [
        [0, 0, 640, 320], [0, 0, 640, 0], [10, 10, 20, 20]
    ]  # fmt: skip
    assert info.to_image(np.zeros((0, 4), np.float32)).shape == (0, 4)


def test_what_a_crop_cuts_off_is_negative_padding() -> None:
    info = place((640, 320), spec(CROP, 160, 160)).info(None)
    assert info == ImageInfo(640, 320, (0.5, 0.5), (-80.0, 0.0), None)
    assert info.to_image(np.array([[0, 0, 160, 160]])).tolist() == [[160, 0, 480, 320]]


@pytest.mark.parametrize(
    ("fit", "size", "needed"),
    [
        (STRETCH, (4000, 2000), (640, 640)),
        (LETTERBOX, (4000, 2000), (640, 320)),
        (CROP, (4000, 2000), (1280, 640)),
        (CROP, (4001, 2000), (1281, 640)),  # 1280.32
        (CROP, (2000, 4001), (640, 1281)),
    ],
)
def test_a_copy_may_be_as_small_as_the_fit_allows(
    fit: str, size: tuple[int, int], needed: tuple[int, int]
) -> None:
    assert place(size, spec(fit)).needed() == needed


@given(sizes, sizes, st.sampled_from(FITS), st.sampled_from([1, 2, 4, 8]))
def test_the_part_of_a_copy_is_no_smaller_than_the_target(
    size: tuple[int, int], to: tuple[int, int], fit: str, reduced: int
) -> None:
    found = place(size, spec(fit, *to))
    copy = -(-size[0] // reduced), -(-size[1] // reduced)
    part = found.part_of(copy)
    assert found.part_of(size) == found.part
    if all(side >= least for side, least in zip(copy, found.needed(), strict=True)):
        assert part[2] >= found.target[2]
        assert part[3] >= found.target[3]
        assert part[0] + part[2] <= copy[0]
        assert part[1] + part[3] <= copy[1]


def test_edges_of_a_crop_are_the_nearest_in_a_copy() -> None:
    """Boxes are found in it, and would all be as far away."""
    found = place((1281, 2563), spec(CROP, 416, 416))
    assert found.part == (0, 641, 1281, 1281)
    assert found.part_of((641, 1282)) == (0, 321, 641, 640)
    assert found.part_of((161, 321)) == (0, 80, 161, 161)  # 80.3 to 240.7 of its rows
