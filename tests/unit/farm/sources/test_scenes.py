"""Scenes: repeatable, of 1 to 12 legible characters, with boxes that are around these."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from farm.errors import OutputError
from farm.sources import scenes
from farm.sources.renders import CLASSES, LONG_SIDE, QUALITY
from farm.sources.scenes import ASPECT, HEIGHT, MOST, TRUTH, Scene, render_scene, write_scenes

SEED = 7
MADE = 24


@pytest.fixture(scope="module")
def made() -> list[Scene]:
    return [render_scene(index, seed=SEED) for index in range(MADE)]


def test_same_seed_and_index_give_the_same_picture_whatever_came_before(made: list[Scene]) -> None:
    np.random.seed(1)
    cv2.setRNGSeed(99)
    again = render_scene(5, seed=SEED)
    assert again.jpeg() == made[5].jpeg()
    assert again.objects == made[5].objects


def test_other_seeds_and_indices_give_other_pictures(made: list[Scene]) -> None:
    pictures = [each.jpeg() for each in (*made[:3], render_scene(0, seed=SEED + 1))]
    assert len(set(pictures)) == len(pictures)


def test_pictures_are_colour_bytes_of_many_shapes(made: list[Scene]) -> None:
    shapes = [each.image.shape for each in made]
    assert {each.image.dtype for each in made} == {np.dtype(np.uint8)}
    assert all(max(shape[:2]) in range(*LONG_SIDE) for shape in shapes)
    ratios = [max(shape[:2]) / min(shape[:2]) for shape in shapes]
    assert all(ASPECT[0] <= ratio < ASPECT[1] + 0.01 for ratio in ratios)
    assert max(ratios) - min(ratios) > (ASPECT[1] - ASPECT[0]) / 2
    assert {shape[0] > shape[1] for shape in shapes} == {True, False}
    assert all(each.quality in range(*QUALITY) for each in made)


def test_boxes_are_inside_the_picture_and_of_many_sizes(made: list[Scene]) -> None:
    assert all(1 <= len(each.objects) <= MOST for each in made)
    assert len({len(each.objects) for each in made}) > 4
    heights = []
    for each in made:
        high, wide, _ = each.image.shape
        for shown in each.objects:
            x1, y1, x2, y2 = shown.box
            assert 0 <= x1 < x2 <= wide
            assert 0 <= y1 < y2 <= high
            assert shown.label in CLASSES
            heights.append(y2 - y1)
    assert min(heights) >= HEIGHT[0] / 2  # an edge may be hidden, perspective makes it lower
    assert max(heights) <= HEIGHT[1] * 1.5
    assert max(heights) > 4 * min(heights)


def test_a_box_is_tight_around_the_ink(monkeypatch: pytest.MonkeyPatch) -> None:
    """Alone on a wall of one colour, with nothing behind it, a character is all that differs."""
    monkeypatch.setattr(scenes, "MOST", 1)
    monkeypatch.setattr(scenes, "expose", lambda _rng, image, **_: image)
    monkeypatch.setattr(scenes, "random_backing", lambda _rng, glyph: np.zeros_like(glyph))
    walls: list[Any] = []

    def wall(_rng: Any, size: tuple[int, int], ground: Any) -> Any:
        walls.append(np.full((*size, 3), ground, np.uint8))
        return walls[-1]

    monkeypatch.setattr(scenes, "random_wall", wall)
    monkeypatch.setattr(scenes._Canvas, "clutter", lambda _self: None)
    for index in range(6):
        scene = render_scene(index, seed=SEED)
        differs = np.abs(scene.image.astype(int) - walls[-1]).max(axis=2)
        (shown,) = scene.objects
        colour = scene.image[differs == differs.max()][0].astype(int)
        ink = np.abs(scene.image.astype(int) - colour).max(axis=2) < differs.max() / 2
        x, y, wide, high = cv2.boundingRect(ink.astype(np.uint8))
        assert shown.box == pytest.approx((x, y, x + wide, y + high), abs=1)  # edges are soft


def test_little_of_a_character_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    canvases: list[Any] = []
    canvas = scenes._Canvas

    def keep(*given: Any) -> Any:
        canvases.append(canvas(*given))
        return canvases[-1]

    monkeypatch.setattr(scenes, "_Canvas", keep)
    for index in range(MADE):
        render_scene(index, seed=SEED)
    hidden = [
        1 - cv2.countNonZero(ink.visible) / ink.whole for each in canvases for ink in each.inks
    ]
    assert max(hidden) <= scenes.MOST_HIDDEN < 1 / 3
    assert sum(share > 0 for share in hidden) > 3  # some are


def test_files_and_their_truth_are_whole(tmp_path: Path, made: list[Scene]) -> None:
    paths = write_scenes(tmp_path / "made" / "here", count=3, seed=SEED)
    assert [path.name for path in paths] == [f"scene-0007-00000{index}.jpg" for index in range(3)]
    assert [path.read_bytes() for path in paths] == [each.jpeg() for each in made[:3]]
    truth = json.loads((tmp_path / "made" / "here" / TRUTH).read_text())
    assert truth["categories"] == [{"id": k, "name": name} for k, name in enumerate(CLASSES)]
    assert [(each["id"], each["file_name"]) for each in truth["images"]] == [
        (index, path.name) for index, path in enumerate(paths)
    ]
    assert [(each["height"], each["width"]) for each in truth["images"]] == [
        each.image.shape[:2] for each in made[:3]
    ]
    assert [each["id"] for each in truth["annotations"]] == [
        k + 1 for k in range(sum(len(each.objects) for each in made[:3]))
    ]
    for each in truth["annotations"]:
        x, y, wide, high = each["bbox"]
        assert each["area"] == wide * high
        shown = CLASSES[each["category_id"]], (x, y, x + wide, y + high)
        assert shown in [(o.label, o.box) for o in made[each["image_id"]].objects]


def test_writing_again_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    write_scenes(tmp_path, count=2, seed=SEED)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    write_scenes(tmp_path, count=2, seed=SEED)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("text", ['{"images": [{"file_name": "cat.jpg"}]}', "[]", "{", "mine"])
def test_a_truth_of_the_users_own_is_not_replaced(tmp_path: Path, text: str) -> None:
    (tmp_path / TRUTH).write_text(text)
    with pytest.raises(OutputError, match=TRUTH):
        write_scenes(tmp_path, count=1, seed=SEED)
    assert [path.name for path in tmp_path.iterdir()] == [TRUTH]
    assert (tmp_path / TRUTH).read_text() == text


@pytest.mark.parametrize(("number", "seed"), [(-1, 0), (0, -1)])
def test_negative_numbers_are_refused(tmp_path: Path, number: int, seed: int) -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        render_scene(number, seed=seed)
    with pytest.raises(ValueError, match="must not be negative"):
        write_scenes(tmp_path / "none", count=number, seed=seed)
    assert not (tmp_path / "none").exists()


def test_a_folder_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=str(tmp_path / "file" / "made")):
        write_scenes(tmp_path / "file" / "made", count=1, seed=SEED)


def test_scenes_of_another_call_of_which_the_truth_has_nothing_are_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_scenes(tmp_path, count=2, seed=9)
    assert caplog.records == []
    write_scenes(tmp_path, count=1, seed=9)
    (told,) = caplog.records
    assert "nothing of 1 other scenes" in told.getMessage()
