"""A page appears whole or not at all, and over nothing that is not to be replaced."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from farm.errors import OutputError
from farm.pictures.draft import Draft, check, files_of


def make(page: Path, *, overwrite: bool = False, with_files: bool = False) -> None:
    with Draft(page, overwrite=overwrite) as draft:
        draft.page.write_text("a page")
        draft.file(0).write_text("a picture")
        draft.put_in_place(with_files=with_files)


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_page_alone_or_with_its_files(tmp_path: Path) -> None:
    make(tmp_path / "one.html")
    make(tmp_path / "two.html", with_files=True)
    assert names(tmp_path) == ["one.html", "two.html", "two_files", "two_files/000000.jpg"]


def test_what_is_not_put_in_place_is_not_left_behind(tmp_path: Path) -> None:
    with Draft(tmp_path / "a.html", overwrite=False) as draft:
        draft.page.write_text("half a page")
        assert names(tmp_path) != []
    assert names(tmp_path) == []


def test_what_a_killed_run_has_left_is_removed_and_what_another_makes_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, left = tmp_path / "a.html", tmp_path / f".a.html.{os.getpid()}.part"
    (left / "files").mkdir(parents=True)
    with Draft(page, overwrite=False):
        assert left.exists()  # it may have been made just now, and not been locked yet
    monkeypatch.setattr("farm.system.folder_lock.SURELY_LOCKED_SECONDS", -1.0)
    with Draft(page, overwrite=False) as other:
        make(page)
        theirs = other.page.parent
        assert list(tmp_path.iterdir()) in ([theirs, page], [page, theirs])
        assert other.files.is_dir()


@pytest.mark.parametrize("before", [False, True], ids=["alone", "with files"])
@pytest.mark.parametrize("after", [False, True], ids=["alone", "with files"])
def test_only_to_overwrite_is_to_replace_both(tmp_path: Path, before: bool, after: bool) -> None:
    page = tmp_path / "a.html"
    make(page, with_files=before)
    (tmp_path / "a.html").write_text("an earlier page")
    found = names(tmp_path)
    with pytest.raises(OutputError, match="--overwrite"):
        make(page, with_files=after)
    assert names(tmp_path) == found
    assert page.read_text() == "an earlier page"
    make(page, overwrite=True, with_files=after)
    assert names(tmp_path) == ["a.html", *(["a_files", "a_files/000000.jpg"] if after else [])]
    assert page.read_text() == "a page"


def test_an_empty_file_is_nothing_to_keep(tmp_path: Path) -> None:
    (tmp_path / "a.html").touch()
    make(tmp_path / "a.html")
    assert (tmp_path / "a.html").read_text() == "a page"


def test_what_comes_meanwhile_is_kept(tmp_path: Path) -> None:
    with Draft(tmp_path / "a.html", overwrite=False) as draft:
        draft.page.write_text("a page")
        (tmp_path / "a.html").write_text("another's")
        with pytest.raises(OutputError):
            draft.put_in_place(with_files=False)
    assert (tmp_path / "a.html").read_text() == "another's"


@pytest.mark.parametrize("what", ["a picture of the user's", "a folder", "a file", "a link"])
def test_a_folder_that_is_not_ours_is_never_replaced(tmp_path: Path, what: str) -> None:
    page, beside = tmp_path / "a.html", files_of(tmp_path / "a.html")
    (tmp_path / "photos").mkdir()
    match what:
        case "a file":
            beside.write_text("mine")
        case "a link":
            beside.symlink_to(tmp_path / "photos")
        case _:
            (beside / "sub").mkdir(parents=True)
            (beside / "000000.jpg").touch()
            if what != "a folder":
                (beside / "sub").rmdir()
                (beside / "cat.jpg").touch()
    found = names(tmp_path)
    with pytest.raises(OutputError, match="a_files"):
        make(page, overwrite=True)
    assert names(tmp_path) == found


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("results.jsonl", "must end in .html"),
        ("-", "must end in .html"),
        ("nowhere/a.html", "is no folder"),
        ("folder.html", "it is a folder"),
        ("pipe.html", "it is no file"),
    ],
)
def test_a_name_that_can_not_be_is_refused(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "folder.html").mkdir()
    (tmp_path / "pipe.html").symlink_to("/dev/null")
    with pytest.raises(OutputError, match=said):
        check(tmp_path / name, overwrite=True)


def test_a_folder_that_can_not_be_written_is_told(tmp_path: Path) -> None:
    long = tmp_path / f"{'x' * 250}.html"  # a name of its own, but its draft's is too long
    with pytest.raises(OutputError, match="cannot write it: File name too long"):
        Draft(long, overwrite=False)
