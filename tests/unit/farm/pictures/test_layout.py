"""Names stand at their boxes, inside the picture, apart from each other."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.pictures.layout import Rect, meet, places, within

PICTURE = (640, 480)
SIDES = st.integers(-50, 700)
BOXES = st.tuples(SIDES, SIDES, SIDES, SIDES)


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((10.2, 20.7, 30.5, 40.4), (10, 20, 30, 40)),
        ((-5.0, -5.0, 700.0, 500.0), (0, 0, 640, 480)),
        ((640.0, 480.0, 640.0, 480.0), (639, 479, 640, 480)),
        ((9.0, 9.0, 3.0, 3.0), (9, 9, 10, 10)),
    ],
)
def test_a_box_takes_pixels_of_the_picture(
    box: tuple[float, float, float, float], expected: Rect
) -> None:
    assert within(box, PICTURE) == expected


def test_a_name_stands_on_its_box_and_below_the_upper_edge() -> None:
    assert places([(100, 100, 200, 200)], [(50, 20)], PICTURE) == [(100, 80)]
    assert places([(100, 10, 200, 200)], [(50, 20)], PICTURE) == [(100, 10)]


def test_a_name_near_the_right_edge_is_moved_to_the_left() -> None:
    assert places([(620, 100, 640, 200)], [(50, 20)], PICTURE) == [(590, 80)]


def test_of_two_names_at_one_place_the_first_keeps_it() -> None:
    first, second = places([(100, 100, 300, 300)] * 2, [(50, 20)] * 2, PICTURE)
    assert first == (100, 80)
    assert second != first


@given(st.lists(BOXES, max_size=30), st.integers(1, 640), st.integers(1, 480))
def test_names_are_inside(boxes: list[tuple[int, int, int, int]], width: int, height: int) -> None:
    shown = [within(box, PICTURE) for box in boxes]
    for x, y in places(shown, [(width, height)] * len(shown), PICTURE):
        assert 0 <= x <= 640 - width
        assert 0 <= y <= 480 - height


def test_names_of_one_place_do_not_overlap_while_there_is_room() -> None:
    spots = places([(100, 200, 400, 400)] * 8, [(80, 20)] * 8, PICTURE)
    plates = [(x, y, x + 80, y + 20) for x, y in spots]
    assert not any(meet(one, other) for one, other in combinations(plates, 2))


def test_a_name_that_is_larger_than_the_picture_begins_in_its_corner() -> None:
    assert places([(5, 5, 9, 9)], [(700, 500)], PICTURE) == [(0, 0)]
