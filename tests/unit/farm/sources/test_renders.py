"""Sample images: repeatable, balanced, named after their truth."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from farm.errors import OutputError
from farm.sources.renders import CLASSES, LONG_SIDE, QUALITY, SHORT_SIDE, render, write_renders

SEED = 7


TURN = len(CLASSES)


def labels(count: int, *, seed: int, start: int = 0) -> str:
    return "".join(render(index, seed=seed).label for index in range(start, start + count))


def test_same_seed_and_index_give_the_same_bytes() -> None:
    assert render(5, seed=SEED).jpeg() == render(5, seed=SEED).jpeg()


def test_a_picture_does_not_depend_on_those_before_it(tmp_path: Path) -> None:
    few = write_renders(tmp_path / "few", count=3, seed=SEED)
    many = write_renders(tmp_path / "many", count=6, seed=SEED)
    assert [path.name for path in few] == [path.name for path in many[:3]]
    assert [path.read_bytes() for path in few] == [path.read_bytes() for path in many[:3]]
    assert many[5].read_bytes() == render(5, seed=SEED).jpeg()


def test_numpys_global_generator_has_no_influence() -> None:
    first = render(0, seed=SEED).image
    np.random.seed(1)
    cv2.setRNGSeed(99)
    assert np.array_equal(first, render(0, seed=SEED).image)


def test_other_seeds_and_indices_give_other_pictures() -> None:
    pictures = [render(index, seed=seed).jpeg() for index in (0, 1, 36) for seed in (0, 1, 2)]
    assert len(set(pictures)) == len(pictures)


@pytest.mark.parametrize("start", [0, TURN])
def test_each_turn_shows_every_character_once(start: int) -> None:
    assert sorted(labels(TURN, seed=SEED, start=start)) == sorted(CLASSES)


def test_the_order_of_labels_is_shuffled_by_seed_and_turn() -> None:
    starts = [labels(8, seed=1), labels(8, seed=2), labels(8, seed=1, start=TURN), CLASSES[:8]]
    assert len(set(starts)) == len(starts)


def test_the_order_of_labels_is_the_one_the_model_was_measured_on() -> None:
    assert labels(12, seed=SEED) == "COM4ASYWXHKN"


def test_files_are_named_after_seed_index_and_truth(tmp_path: Path) -> None:
    paths = write_renders(tmp_path / "made" / "here", count=3, seed=SEED)
    truths = labels(3, seed=SEED)
    assert [path.name for path in paths] == [
        f"glyph-0007-00000{index}_{truth}.jpg" for index, truth in enumerate(truths)
    ]
    assert sorted((tmp_path / "made" / "here").iterdir()) == paths


def test_files_hold_the_pictures(tmp_path: Path) -> None:
    (path,) = write_renders(tmp_path, count=1, seed=SEED)
    read, made = cv2.imread(str(path)), render(0, seed=SEED).image
    assert read is not None
    assert read.shape == made.shape
    assert float(np.abs(read.astype(float) - made).mean()) < 12.0  # what JPEG may change


def test_writing_again_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    before = {path: path.read_bytes() for path in write_renders(tmp_path, count=2, seed=SEED)}
    assert write_renders(tmp_path, count=2, seed=SEED) == list(before)
    assert all(path.read_bytes() == data for path, data in before.items())
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_pictures_are_colour_bytes_of_photo_size() -> None:
    made = [render(index, seed=SEED) for index in range(TURN)]
    assert all(picture.image.dtype == np.uint8 for picture in made)
    assert all(picture.image.shape[2:] == (3,) for picture in made)
    assert all(max(picture.image.shape[:2]) in range(*LONG_SIDE) for picture in made)
    assert all(min(picture.image.shape[:2]) in range(*SHORT_SIDE) for picture in made)
    assert all(picture.quality in range(*QUALITY) for picture in made)


def test_sizes_shapes_and_qualities_vary() -> None:
    made = [render(index, seed=SEED) for index in range(TURN)]
    upright = Counter(picture.image.shape[0] > picture.image.shape[1] for picture in made)
    assert 0 < upright[True] < upright[False]
    assert len({picture.image.shape for picture in made}) > TURN // 2
    assert len({picture.quality for picture in made}) > 10


def test_no_picture_is_flat() -> None:
    assert all(render(index, seed=SEED).image.std() > 5 for index in range(12))


@pytest.mark.parametrize(("index", "seed"), [(-1, 0), (0, -1)])
def test_negative_numbers_are_refused(index: int, seed: int) -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        render(index, seed=seed)


@pytest.mark.parametrize(("count", "seed"), [(-1, 0), (0, -1)])
def test_nothing_is_written_for_negative_numbers(tmp_path: Path, count: int, seed: int) -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        write_renders(tmp_path / "none", count=count, seed=seed)
    assert not (tmp_path / "none").exists()


def test_a_folder_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=str(tmp_path / "file" / "made")):
        write_renders(tmp_path / "file" / "made", count=1, seed=SEED)
