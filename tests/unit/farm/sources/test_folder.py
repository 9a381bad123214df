"""Which files of a folder are images, what is said of the others, which folders are looked into."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from farm.errors import SourceError
from farm.sources.folder import IMAGE_SUFFIXES, MOST_KINDS, images_in
from tests.helpers.sources import touch


def names_in(folder: Path, *, recursive: bool = False) -> list[str]:
    found = images_in(str(folder), recursive=recursive)
    return [os.fsdecode(path).removeprefix(f"{folder}/") for path in found]


def refusal(folder: Path, *, recursive: bool = False) -> str:
    with pytest.raises(SourceError, match=f"^{folder}: ") as caught:
        names_in(folder, recursive=recursive)
    return str(caught.value)


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "farm")
    return caplog


def test_every_image_suffix_is_taken_in_any_case(
    tmp_path: Path, told: pytest.LogCaptureFixture
) -> None:
    names = [f"a{suffix}" for suffix in IMAGE_SUFFIXES] + ["B.JPG", "c.txt.Jpeg"]
    touch(tmp_path, *names)
    assert names_in(tmp_path) == sorted(names)
    assert told.messages == []


def test_what_is_no_image_is_passed_over_and_counted_once(
    tmp_path: Path, told: pytest.LogCaptureFixture
) -> None:
    touch(tmp_path, "a.jpg", "list.txt", "notes.TXT", "README", ".DS_Store", ".hidden.jpg")
    assert names_in(tmp_path) == names_in(tmp_path) == ["a.jpg"]
    said = "5 files passed over: 2 .txt, 2 hidden, 1 without suffix"
    assert told.messages == [f"{tmp_path}: {said}"]


def test_of_many_kinds_the_rarest_are_only_counted(
    tmp_path: Path, told: pytest.LogCaptureFixture
) -> None:
    touch(tmp_path, "a.jpg", *(f"{at}.{at % 9}" for at in range(14)))
    names_in(tmp_path)
    assert told.messages[0].endswith(": 2 .0, 2 .1, 2 .2, 2 .3, 2 .4, 4 others")
    assert MOST_KINDS == 5


def test_a_folder_without_images_says_what_is_in_it(tmp_path: Path) -> None:
    touch(tmp_path, "a.txt", "b.txt", "c", "empty/in/x")
    assert "(3 files passed over: 2 .txt, 1 without suffix)" in refusal(tmp_path)
    assert "--recursive" not in refusal(tmp_path / "empty" / "in")
    assert "--recursive" in refusal(tmp_path / "empty")
    assert "--recursive" not in refusal(tmp_path / "empty", recursive=True)


def test_with_recursive_the_folders_below_are_looked_into(
    tmp_path: Path, told: pytest.LogCaptureFixture
) -> None:
    touch(tmp_path, "a/1.jpg", "b/c/2.jpg", "3.jpg", ".git/4.jpg", "b/x.txt", "else/5.jpg")
    (tmp_path / "b" / "round").symlink_to(tmp_path)
    assert names_in(tmp_path, recursive=True) == ["3.jpg", "a/1.jpg", "b/c/2.jpg", "else/5.jpg"]
    said = "1 file passed over: 1 .txt; 2 folders passed over: 1 hidden, 1 linked"
    assert told.messages == [f"{tmp_path}: {said}"]


@pytest.mark.parametrize(
    ("names", "hint"),
    [
        (("a/1.jpg", "b/2.png", "c/x.txt"), "2 sub-folders with images"),
        (("a/x.txt", "a/.1.jpg", "a/f.jpg/x"), None),
        ((".a/1.jpg",), None),
    ],
)
def test_folders_below_with_images_are_hinted_at(
    tmp_path: Path, names: tuple[str, ...], hint: str | None, told: pytest.LogCaptureFixture
) -> None:
    touch(tmp_path, "0.jpg", *names)
    assert names_in(tmp_path) == ["0.jpg"]
    assert [hint in said and "--recursive" in said for said in told.messages if hint] == (
        [] if hint is None else [True]
    )
    assert len(told.messages) == (0 if hint is None else 1)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list folders of mode 000")
def test_a_folder_below_that_can_not_be_listed_is_refused_only_if_it_is_looked_into(
    tmp_path: Path,
) -> None:
    (locked,) = (path.parent for path in touch(tmp_path, "locked/1.jpg"))
    touch(tmp_path, "2.jpg")
    locked.chmod(0)
    assert names_in(tmp_path) == ["2.jpg"]
    with pytest.raises(SourceError, match=f"^{locked}: can't be listed"):
        names_in(tmp_path, recursive=True)
