"""Whether a run can be judged as its config asks."""

from __future__ import annotations

from pathlib import Path

import pytest

from farm.cli.judge import truth_of
from farm.errors import ConfigError
from tests.helpers.sources import touch


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "labels.txt"
    path.write_text("n02123159 tiger cat\nn01440764 tench\n")
    return path


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    touch(tmp_path / "photos", "tiger_cat/1.jpg", "n01440764/2.jpg", "others/3.jpg")
    return tmp_path / "photos"


def test_folders_are_compared_with_the_labels(labels: Path, photos: Path) -> None:
    truth = truth_of("folder", labels, (str(photos),), recursive=True)
    assert truth is not None
    found = [truth(str(path)) for path in sorted(photos.rglob("*.jpg"))]
    assert found == ["tench", None, "tiger cat"]


def test_folders_of_which_none_is_a_label_are_refused(labels: Path, photos: Path) -> None:
    with pytest.raises(ConfigError, match=f"folder.*others.*tiger cat.*{labels}"):
        truth_of("folder", labels, (str(photos / "others"),), recursive=False)
    assert truth_of("folder", labels, ("-",), recursive=False) is not None  # it can't be read twice


def test_without_labels_no_folder_can_be_one(photos: Path) -> None:
    with pytest.raises(ConfigError, match="--labels"):
        truth_of("folder", None, (str(photos),), recursive=True)


def test_a_pattern_is_one_and_nothing_is_nothing() -> None:
    truth = truth_of("(.).jpg", None, (), recursive=False)
    assert truth is not None
    assert truth("a.jpg") == "a"
    assert truth_of(None, None, (), recursive=False) is None
