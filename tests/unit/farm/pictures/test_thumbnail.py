"""Thumbnails are small, upright, of the picture's shape; or there is none."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from farm.pictures.thumbnail import SIDE, small, write_thumbnail
from tests.helpers.looks import result


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((500, 375), (256, 192)),
        ((375, 500), (192, 256)),
        ((20, 10), (20, 10)),
        ((65_500, 1), (256, 1)),
        ((1, 1), (1, 1)),
    ],
)
def test_the_longer_side_is_no_longer_than_it_may_be(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert small(size) == expected


def test_a_thumbnail_looks_like_its_picture(tmp_path: Path) -> None:
    picture = np.zeros((400, 1000, 3), np.uint8)
    picture[:, 500:] = (0, 0, 255)  # red, on the right
    cv2.imwrite(str(tmp_path / "a.png"), picture)
    size = write_thumbnail(result(tmp_path / "a.png"), tmp_path / "t.jpg")
    assert size == (tmp_path / "t.jpg").stat().st_size < 10_000
    made = cv2.imread(str(tmp_path / "t.jpg"))
    assert made is not None
    assert made.shape == (102, SIDE, 3)
    assert made[50, 200].tolist() == pytest.approx([0, 0, 255], abs=12)
    assert made[50, 50].tolist() == pytest.approx([0, 0, 0], abs=12)


def test_what_is_no_picture_has_none(tmp_path: Path) -> None:
    assert write_thumbnail(result(tmp_path / "missing.jpg"), tmp_path / "t.jpg") == 0
    assert not (tmp_path / "t.jpg").exists()


def test_a_folder_that_is_full_or_gone_is_an_error(tmp_path: Path, renders: list[Path]) -> None:
    with pytest.raises(OSError, match="No such file"):
        write_thumbnail(result(renders[0]), tmp_path / "gone" / "t.jpg")
