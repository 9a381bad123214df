"""What is drawn: boxes in their class's colour, names that can be read, nothing else changed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from farm.pictures.colours import colour, ink, luminance
from farm.pictures.draw import annotated, named
from farm.pictures.fonts import Fonts
from farm.pictures.strip import LEAST_WIDTH
from farm.results.result import DetectedObject, Prediction, Result
from tests.helpers.results import TENCH, classified, detected, result
from workers.images.preprocess import Image

FONTS = Fonts(())
NOISE = np.random.default_rng(2)


def picture(width: int = 640, height: int = 480, value: int | None = None) -> Image:
    shape = (height, width, 3)
    return (
        NOISE.integers(0, 256, shape, np.uint8)
        if value is None
        else np.full(shape, value, np.uint8)
    )


def found(
    class_id: int = 3, label: str | None = "dog", *box: float, score: float = 0.8
) -> DetectedObject:
    left, top, right, bottom = box or (100.0, 100.0, 300.0, 260.0)
    return DetectedObject(class_id, label, score, (left, top, right, bottom))


def draw(image: Image, *objects: DetectedObject, **changes: Any) -> Image:
    return annotated(image, detected(*objects, **changes), FONTS)


def test_a_box_has_the_colour_of_its_class_at_its_border() -> None:
    image = picture()
    made = draw(image, found())
    for y, x in ((259, 200), (200, 100), (200, 299), (259, 299), (110, 299)):
        assert tuple(made[y, x]) == colour(3)[::-1], (x, y)


@pytest.mark.parametrize("class_id", [0, 2, 10])
def test_a_box_is_seen_on_its_own_colour(class_id: int) -> None:
    image = picture()
    image[:] = colour(class_id)[::-1]
    made = draw(image, found(class_id))
    assert tuple(made[200, 102]) == tuple(made[257, 200]) == ink(colour(class_id))[::-1]


def test_nothing_but_the_border_and_the_plate_is_changed() -> None:
    image = picture()
    made = draw(image, found())
    changed = (made != image).any(axis=2)
    assert not changed[:70].any()
    assert not changed[100:, :100].any()
    assert not changed[260:].any()
    assert not changed[:, 300:].any()
    assert not changed[104:256, 104:296].any()
    assert made is not image


@pytest.mark.parametrize("value", [0, 128, 255])
@pytest.mark.parametrize("class_id", range(0, 80, 7))
def test_a_name_is_read_on_any_background(class_id: int, value: int) -> None:
    """On a plate of one colour, in ink of a contrast of 4.5 or more."""
    made = draw(picture(value=value), found(class_id))
    plate = made[82:98, 102:140].reshape(-1, 3)
    shades = [tuple(int(part) for part in pixel[::-1]) for pixel in np.unique(plate, axis=0)]
    assert colour(class_id) in shades
    assert ink(colour(class_id)) in shades
    low, high = sorted(luminance(each) for each in (colour(class_id), ink(colour(class_id))))
    assert (high + 0.05) / (low + 0.05) >= 4.5


def ink_of(made: Image, class_id: int) -> int:
    return int((made == ink(colour(class_id))[::-1]).all(axis=2).sum())


@pytest.mark.parametrize("at", [(0.0, 0.0), (639.0, 0.0), (0.0, 479.0), (639.0, 479.0)])
def test_a_name_is_whole_in_every_corner(at: tuple[float, float]) -> None:
    """All its ink is there: a box of one pixel has none."""
    whole = ink_of(draw(picture(value=128), found(3, "dog", 300.0, 200.0, 301.0, 201.0)), 3)
    corner = found(3, "dog", *at, at[0] + 1, at[1] + 1)
    assert ink_of(draw(picture(value=128), corner), 3) == whole > 5


def test_a_name_that_is_too_long_is_cut_inside_the_picture() -> None:
    made = draw(picture(), found(3, "a name of a class " * 20))
    assert tuple(made[90, 0]) == tuple(made[90, 639]) == colour(3)[::-1]


def test_a_name_that_is_higher_than_the_picture_is_cut() -> None:
    for height in range(60, 400, 17):
        image = picture(480, height)
        assert draw(image, found(3, "e" + "\u0301" * 100)).shape == image.shape


@pytest.mark.parametrize("label", ["é", "ß", "Я", "猫", "عربى", "한국어", None])
def test_every_script_has_its_own_look(label: str | None) -> None:
    image = picture(value=128)
    others = [draw(image, found(3, other)) for other in ("x", "猫 2", "")]
    made = draw(image, found(3, label))
    assert not any(np.array_equal(made, other) for other in others)


def test_line_and_letters_grow_with_the_picture() -> None:
    plates, lines = [], []
    for factor in (1, 4):
        box = (100.0 * factor, 100.0 * factor, 300.0 * factor, 260.0 * factor)
        drawn = draw(picture(640 * factor, 480 * factor, 128), found(3, "dog", *box))
        own = (drawn == colour(3)[::-1]).all(axis=2)
        plates.append(int(own[: 100 * factor, 101 * factor].sum()))
        lines.append(int(own[200 * factor, : 200 * factor].sum()))
    assert plates[1] >= 3 * plates[0] > 30
    assert lines == [2, 7]


def test_the_best_object_is_on_top() -> None:
    made = draw(picture(), found(1), found(2))
    assert tuple(made[259, 200]) == colour(1)[::-1]


@pytest.mark.parametrize("size", [(32, 32), (1, 1), (LEAST_WIDTH - 1, 500), (4000, 10)])
def test_names_that_have_no_room_are_below_the_picture(size: tuple[int, int]) -> None:
    image = picture(*size)
    made = draw(image, found(3, "dog", 0.0, 0.0, 1.0, 1.0), size=size)
    assert len(made) > size[1] + 12
    assert tuple(made[0, 0]) == colour(3)[::-1]
    assert (made[size[1] :].max(axis=2) > 200).any()


def test_of_many_objects_below_a_picture_the_others_are_counted() -> None:
    one, many, more = (draw(picture(32, 32), *[found()] * count) for count in (1, 12, 300))
    assert len(one) < len(many) < len(more) < 400


def test_without_objects_the_picture_is_as_it_was() -> None:
    image = picture()
    assert np.array_equal(draw(image), image)


@pytest.mark.parametrize(
    "answer",
    [
        classified(TENCH),
        classified(*[Prediction(n, "a class", 0.1) for n in range(5)]),
        classified(),
        result(output={"text": "ABC", "boxes": [[1, 2.5], b"\0"]}),
        result(output=None),
    ],
    ids=["top-1", "top-5", "no class", "output", "nothing"],
)
def test_other_answers_are_below_the_picture(answer: Result) -> None:
    image = picture()
    made = annotated(image, answer, FONTS)
    assert np.array_equal(made[:480], image)
    assert made[480:].max() == 255


def test_made_up_answers_say_so() -> None:
    made_up = detected(found(), simulated=True)
    assert named(found(), made_up) == "simulated: class 3"
    assert named(TENCH, classified(TENCH)) == "tench"
    assert named(found(4, None), detected(found())) == "class 4"
