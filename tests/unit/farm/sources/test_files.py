"""What a command line names: which files, in which order, what is refused."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from farm.errors import SourceError
from farm.sources.files import open_targets, sample
from farm.sources.lines import LineSource
from tests.helpers.sources import refs, take_all, touch
from workers.protocol.messages import FileRef


def given(*targets: Path | str, times: int = 1) -> list[Any]:
    source = open_targets([str(target) for target in targets], times=times)
    taken = take_all(source)
    assert source.total in (None, len(taken))
    return taken


def refusal(*targets: Path | str) -> str:
    with pytest.raises(SourceError) as caught:
        open_targets([str(target) for target in targets], times=1)
    return str(caught.value)


def test_a_folder_gives_its_files_sorted_and_passes_over_folders(tmp_path: Path) -> None:
    touch(tmp_path, "b.jpg", "a.png", "10.jpg", "9.jpg", ".hidden.jpg", "inner/c.jpg")
    names = ("10.jpg", "9.jpg", "a.png", "b.jpg")
    assert given(tmp_path) == refs(*(tmp_path / name for name in names))


def test_a_link_to_a_folder_is_passed_over_a_link_to_a_file_is_not(tmp_path: Path) -> None:
    (photo,) = touch(tmp_path, "elsewhere/a.jpg")
    folder = tmp_path / "links"
    folder.mkdir()
    (folder / "file.jpg").symlink_to(photo)
    (folder / "folder.jpg").symlink_to(photo.parent)
    assert given(folder) == refs(folder / "file.jpg")


def test_a_dangling_link_is_given_so_that_its_loss_is_seen(tmp_path: Path) -> None:
    (tmp_path / "lost.jpg").symlink_to("gone.jpg")
    assert given(tmp_path) == given(tmp_path / "lost.jpg") == refs(tmp_path / "lost.jpg")


def test_a_folder_that_is_named_like_a_list_is_a_folder(tmp_path: Path) -> None:
    (photo,) = touch(tmp_path, "photos.txt/a.jpg")
    assert given(tmp_path / "photos.txt") == refs(photo)


def test_names_that_are_not_utf8_keep_their_bytes(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/caf\xe9.jpg"
    touch(tmp_path, os.fsdecode(b"caf\xe9.jpg"))
    assert given(tmp_path) == refs(name)
    assert given(f"{tmp_path}/*.jpg") == refs(name)
    assert given(os.fsdecode(name)) == refs(name)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list folders of mode 000")
def test_a_folder_that_can_not_be_listed_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0)
    assert str(tmp_path) in refusal(tmp_path)


def test_one_missing_target_refuses_them_all(tmp_path: Path) -> None:
    assert str(tmp_path / "gone.jpg") in refusal(*touch(tmp_path, "a.jpg"), tmp_path / "gone.jpg")


def test_refusals_name_the_target_and_the_reason(
    tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    touch(tmp_path, "a.jpg", "inner/b.jpg")
    (tmp_path / "empty" / "inner").mkdir(parents=True)
    names = ("empty", "gone", "gone.jpg", "gone.txt", "*.gif", "inner*", "gone/?.jpg")
    messages = {name: refusal(tmp_path / name) for name in names}
    assert all(said.startswith(f"{tmp_path / name}: ") for name, said in messages.items())
    assert {name: said.removeprefix(f"{tmp_path}/") for name, said in messages.items()} == snapshot


@pytest.mark.parametrize("name", ["\ud800", "\ud800/*.jpg", "[\ud800]/*", "*/\ud800.txt"])
def test_a_name_that_no_file_can_have_is_refused(name: str) -> None:
    assert name in refusal(name)


def test_a_file_is_given_as_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "a.jpg", "[1].jpg")
    monkeypatch.chdir(tmp_path)
    assert given("a.jpg", "./a.jpg", "[1].jpg") == refs("a.jpg", "./a.jpg", "[1].jpg")


def test_a_file_that_is_named_is_tried_whatever_a_folder_would_do_with_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "farm")
    odd = touch(tmp_path, "data.bin", "none", ".hidden.jpg", "a.jpg")
    assert given(*odd[:3]) == refs(*odd[:3])
    assert caplog.messages == []
    assert given(tmp_path) == refs(odd[3])
    assert len(caplog.messages) == 1


def test_a_glob_gives_the_files_that_match_sorted(tmp_path: Path) -> None:
    b, a, deep, _ = touch(tmp_path, "b.jpg", "a.jpg", "x/y/c.jpg", "d.png")
    (tmp_path / "folder.jpg").mkdir()
    assert given(tmp_path / "*.jpg") == refs(a, b)
    assert given(tmp_path / "**" / "*.jpg") == refs(a, b, deep)


def test_a_folder_whose_name_is_a_pattern_is_taken_by_its_name(tmp_path: Path) -> None:
    a, b, c, _ = touch(
        tmp_path,
        "[2024] trip/a.jpg",
        "[2024] trip/b*?/b.jpg",
        "[2024] trip/b*?/[1].jpg",
        "2 trip/x",
    )
    folder = tmp_path / "[2024] trip"
    assert given(folder) == given(folder / "*.jpg") == given(folder / "[a].*") == refs(a)
    assert given(folder / "b*?" / "*.jpg") == refs(c, b)
    assert given(tmp_path / "[24] trip" / "*") == refs(tmp_path / "2 trip" / "x")


def test_brackets_that_match_nothing_are_said_to_be_a_pattern(tmp_path: Path) -> None:
    touch(tmp_path, "[2024] trip/a.jpg")
    said = refusal(tmp_path / "[2025] trip" / "*.jpg")
    assert "[2025] is a pattern" in said
    assert "[[]2025]" in said
    assert "pattern" not in refusal(tmp_path / "[2024] trip" / "*.gif")
    assert "no such file" in refusal(tmp_path / "[2024] trip" / "gone.jpg")


@pytest.mark.parametrize("name", ["list.TXT", "list.lst", "list.LST"])
def test_lists_have_several_suffixes(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("/a.jpg\n")
    assert given(tmp_path / name) == refs("/a.jpg")


def test_an_empty_list_is_refused(tmp_path: Path) -> None:
    photo, listed = touch(tmp_path, "a.jpg", "empty.txt")
    assert str(listed) in refusal(photo, listed)


def test_a_list_gives_a_path_for_each_line_that_is_not_empty(tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_bytes(b"/a.jpg\r\n\n\r\n/with space.jpg \n/caf\xe9.jpg\n\n/last.jpg")
    names = (b"/a.jpg", b"/with space.jpg ", b"/caf\xe9.jpg", b"/last.jpg")
    assert given(listed) == refs(*names)


def test_how_many_a_list_holds_is_not_known(tmp_path: Path) -> None:
    listed, photo = touch(tmp_path, "list.txt", "a.jpg")
    listed.write_text("/1.jpg\n")
    assert open_targets([str(listed), str(photo)], times=2).total is None


def test_everything_is_repeated_in_order(tmp_path: Path) -> None:
    photo, first, second = touch(tmp_path, "z.jpg", "folder/1.jpg", "folder/2.jpg")
    targets = [str(photo), str(first.parent), str(tmp_path / "folder" / "*2*")]
    source = open_targets(targets, times=3)
    assert source.total == 12
    assert take_all(source) == refs(photo, first, second, second) * 3


def test_a_list_is_repeated_too(tmp_path: Path) -> None:
    listed, photo = touch(tmp_path, "list.txt", "a.jpg")
    listed.write_text("/1.jpg\n/2.jpg\n")
    assert given(photo, listed, times=2) == refs(photo, "/1.jpg", "/2.jpg") * 2


def test_a_target_named_twice_counts_twice(tmp_path: Path) -> None:
    (photo,) = touch(tmp_path, "a.jpg")
    source = open_targets([str(photo), str(photo)], times=2)
    assert source.total == 4
    assert take_all(source) == refs(photo) * 4


def test_a_list_is_read_no_further_than_it_is_taken(tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text("/1.jpg\n")
    source = open_targets([str(listed)], times=1_000_000_000)
    assert source.take(2) == refs("/1.jpg", "/1.jpg")
    assert not source.exhausted


@pytest.mark.parametrize(("targets", "times"), [(["-", "a.jpg"], 1), (["-"], 2), (["-", "-"], 1)])
def test_standard_input_can_be_neither_mixed_nor_repeated(targets: list[str], times: int) -> None:
    with pytest.raises(SourceError, match="standard input"):
        open_targets(targets, times=times)


def test_standard_input_is_read_by_lines() -> None:
    source = open_targets(["-"], times=1)
    assert isinstance(source, LineSource)
    assert (source.fds, source.total) == ((0,), None)


def test_a_link_that_leads_back_to_itself_is_an_item_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "good.jpg").touch()
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    taken = open_targets([str(tmp_path)], times=1).take(9)
    assert taken == [FileRef(os.fsencode(tmp_path / name)) for name in ("good.jpg", "loop.jpg")]


@pytest.mark.parametrize(("most", "taken"), [(9, "012345"), (6, "012345"), (3, "024"), (1, "0")])
def test_a_sample_is_evenly_spread(tmp_path: Path, most: int, taken: str) -> None:
    touch(tmp_path, *(f"{at}.jpg" for at in "012345"))
    assert sample([str(tmp_path)], most) == (refs(*(tmp_path / f"{name}.jpg" for name in taken)), 6)
