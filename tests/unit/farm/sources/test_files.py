"""Where images come from: what a source gives, in which order, and how it says no."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from farm.errors import SourceError
from farm.sources.base import IterableSource, Source, from_items
from farm.sources.files import from_targets
from farm.sources.lines import LineSource
from workers.protocol.messages import Encoded, FileRef, Pixels

Pipe = tuple[LineSource, io.FileIO]


def files(folder: Path, *names: str) -> list[Path]:
    paths = [folder / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return paths


def refs(*paths: Path | str | bytes) -> list[FileRef]:
    return [FileRef(os.fsencode(path)) for path in paths]


def everything(source: Source, count: int = 3) -> list[Any]:
    taken = []
    while not source.exhausted:
        part = source.take(count)
        assert len(part) <= count
        taken += part
    assert source.take(count) == []
    return taken


def given(*targets: Path | str, times: int = 1) -> list[Any]:
    source = from_targets([str(target) for target in targets], times=times)
    taken = everything(source)
    assert source.total in (None, len(taken))
    return taken


def refusal(*targets: Path | str) -> str:
    with pytest.raises(SourceError) as caught:
        from_targets([str(target) for target in targets], times=1)
    return str(caught.value)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    reader, writer = os.pipe()
    with open(reader, "rb"), open(writer, "wb", buffering=0) as file:
        yield LineSource(reader), file


def test_a_folder_gives_its_files_sorted_and_passes_over_folders(tmp_path: Path) -> None:
    files(tmp_path, "b.jpg", "a.png", "10.jpg", "9.jpg", ".hidden.jpg", "inner/c.jpg")
    names = (".hidden.jpg", "10.jpg", "9.jpg", "a.png", "b.jpg")
    assert given(tmp_path) == refs(*(tmp_path / name for name in names))


def test_a_link_to_a_folder_is_passed_over_a_link_to_a_file_is_not(tmp_path: Path) -> None:
    (photo,) = files(tmp_path, "elsewhere/a.jpg")
    folder = tmp_path / "links"
    folder.mkdir()
    (folder / "file.jpg").symlink_to(photo)
    (folder / "folder.jpg").symlink_to(photo.parent)
    assert given(folder) == refs(folder / "file.jpg")


def test_a_dangling_link_is_given_so_that_its_loss_is_seen(tmp_path: Path) -> None:
    (tmp_path / "lost.jpg").symlink_to("gone.jpg")
    assert given(tmp_path) == given(tmp_path / "lost.jpg") == refs(tmp_path / "lost.jpg")


def test_a_folder_that_is_named_like_a_list_is_a_folder(tmp_path: Path) -> None:
    (photo,) = files(tmp_path, "photos.txt/a.jpg")
    assert given(tmp_path / "photos.txt") == refs(photo)


def test_names_that_are_not_utf8_keep_their_bytes(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/caf\xe9.jpg"
    files(tmp_path, os.fsdecode(b"caf\xe9.jpg"))
    assert given(tmp_path) == refs(name)
    assert given(f"{tmp_path}/*.jpg") == refs(name)
    assert given(os.fsdecode(name)) == refs(name)


def test_a_folder_without_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    assert refusal(tmp_path) == f"{tmp_path}: no files in this folder"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list folders of mode 000")
def test_a_folder_that_can_not_be_listed_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0)
    assert refusal(tmp_path).startswith(f"{tmp_path}: can't be listed: ")


@pytest.mark.parametrize("name", ["gone", "gone.jpg", "gone.txt"])
def test_a_target_that_is_not_there_is_refused(tmp_path: Path, name: str) -> None:
    assert refusal(tmp_path / name) == f"{tmp_path / name}: no such file or folder"


def test_one_missing_target_refuses_them_all(tmp_path: Path) -> None:
    assert "gone.jpg: no such" in refusal(*files(tmp_path, "a.jpg"), tmp_path / "gone.jpg")


def test_a_file_is_given_as_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files(tmp_path, "a.jpg", "[1].jpg")
    monkeypatch.chdir(tmp_path)
    assert given("a.jpg", "./a.jpg", "[1].jpg") == refs("a.jpg", "./a.jpg", "[1].jpg")


def test_a_glob_gives_the_files_that_match_sorted(tmp_path: Path) -> None:
    b, a, deep, _ = files(tmp_path, "b.jpg", "a.jpg", "x/y/c.jpg", "d.png")
    (tmp_path / "folder.jpg").mkdir()
    assert given(tmp_path / "*.jpg") == refs(a, b)
    assert given(tmp_path / "**" / "*.jpg") == refs(a, b, deep)


@pytest.mark.parametrize("pattern", ["*.gif", "inner*", "gone/?.jpg"])
def test_a_glob_that_matches_no_file_is_refused(tmp_path: Path, pattern: str) -> None:
    files(tmp_path, "a.jpg", "inner/b.jpg")
    assert refusal(tmp_path / pattern) == f"{tmp_path / pattern}: no file matches"


def test_a_list_gives_a_path_for_each_line_that_is_not_empty(tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_bytes(b"/a.jpg\r\n\n\r\n/with space.jpg \n/caf\xe9.jpg\n\n/last.jpg")
    names = (b"/a.jpg", b"/with space.jpg ", b"/caf\xe9.jpg", b"/last.jpg")
    assert given(listed) == refs(*names)


def test_how_many_a_list_holds_is_not_known(tmp_path: Path) -> None:
    listed, photo = files(tmp_path, "list.txt", "a.jpg")
    assert from_targets([str(listed), str(photo)], times=2).total is None


def test_everything_is_repeated_in_order(tmp_path: Path) -> None:
    photo, first, second = files(tmp_path, "z.jpg", "folder/1.jpg", "folder/2.jpg")
    targets = [str(photo), str(first.parent), str(tmp_path / "folder" / "*2*")]
    source = from_targets(targets, times=3)
    assert source.total == 12
    assert everything(source) == refs(photo, first, second, second) * 3


def test_a_list_is_repeated_too(tmp_path: Path) -> None:
    listed, photo = files(tmp_path, "list.txt", "a.jpg")
    listed.write_text("/1.jpg\n/2.jpg\n")
    assert given(photo, listed, times=2) == refs(photo, "/1.jpg", "/2.jpg") * 2


def test_a_target_named_twice_counts_twice(tmp_path: Path) -> None:
    (photo,) = files(tmp_path, "a.jpg")
    source = from_targets([str(photo), str(photo)], times=2)
    assert source.total == 4
    assert everything(source) == refs(photo) * 4


def test_a_list_is_read_no_further_than_it_is_taken(tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text("/1.jpg\n")
    source = from_targets([str(listed)], times=1_000_000_000)
    assert source.take(2) == refs("/1.jpg", "/1.jpg")
    assert not source.exhausted


@pytest.mark.parametrize(("targets", "times"), [(["-", "a.jpg"], 1), (["-"], 2), (["-", "-"], 1)])
def test_standard_input_can_be_neither_mixed_nor_repeated(targets: list[str], times: int) -> None:
    with pytest.raises(SourceError, match="can't be repeated or mixed"):
        from_targets(targets, times=times)


def test_standard_input_is_read_by_lines() -> None:
    source = from_targets(["-"], times=1)
    assert isinstance(source, LineSource)
    assert (source.fds, source.total) == ((0,), None)


def test_lines_that_come_in_parts_are_put_together(pipe: Pipe) -> None:
    source, writer = pipe
    writer.write(b"/a.j")
    assert source.take(5) == []
    writer.write(b"pg\r\n\n/b.jpg\n/c")
    assert source.take(5) == refs("/a.jpg", "/b.jpg")
    writer.write(b".jpg\n")
    assert source.take(5) == refs("/c.jpg")
    assert not source.exhausted


def test_a_last_line_without_an_end_is_given(pipe: Pipe) -> None:
    source, writer = pipe
    writer.write(b"/a.jpg\n/b.jpg")
    writer.close()
    assert everything(source) == refs("/a.jpg", "/b.jpg")


def test_with_nothing_there_yet_nothing_is_given_and_more_may_come(pipe: Pipe) -> None:
    source, writer = pipe
    assert source.take(5) == []
    assert not source.exhausted
    assert len(source.fds) == 1
    writer.write(b"/a.jpg\n")
    assert source.take(5) == refs("/a.jpg")


def test_a_closed_pipe_is_exhausted_once_it_is_read(pipe: Pipe) -> None:
    source, writer = pipe
    writer.close()
    assert source.take(5) == []
    assert source.exhausted


def test_lines_beyond_what_was_asked_for_are_kept(pipe: Pipe) -> None:
    source, writer = pipe
    writer.write(b"/1\n/2\n/3\n")
    writer.close()
    assert source.take(2) == refs("/1", "/2")
    assert not source.exhausted
    assert source.take(2) == refs("/3")
    assert source.take(2) == []
    assert source.exhausted


def test_lines_that_are_not_utf8_keep_their_bytes(pipe: Pipe) -> None:
    source, writer = pipe
    writer.write(b"/caf\xe9\xff.jpg\n")
    assert source.take(1) == refs(b"/caf\xe9\xff.jpg")


def test_a_file_on_standard_input_is_read_to_its_end(tmp_path: Path) -> None:
    names = [f"/{'x' * 100}/{number}.jpg" for number in range(2000)]
    (tmp_path / "list").write_text("\n".join(names))
    with (tmp_path / "list").open("rb") as file:
        assert everything(LineSource(file.fileno()), 64) == refs(*names)


def test_items_are_paths_bytes_or_arrays() -> None:
    picture = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    source = from_items(["/a.jpg", Path("/b.jpg"), b"\xff\xd8", picture])
    assert source.total == 4
    assert everything(source) == [
        *refs("/a.jpg", "/b.jpg"),
        Encoded(b"\xff\xd8"),
        Pixels(bytes(range(18)), 2, 3),
    ]


def test_a_path_that_is_not_utf8_keeps_its_bytes() -> None:
    assert everything(from_items([os.fsdecode(b"/\xff.jpg")])) == refs(b"/\xff.jpg")


def test_an_arrays_rows_are_given_in_order_however_they_lie_in_memory() -> None:
    picture = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)
    columns_first, every_other = np.asfortranarray(picture), picture[::-1, ::2]
    assert from_items([columns_first, every_other]).take(2) == [
        Pixels(bytes(range(36)), 3, 4),
        Pixels(np.ascontiguousarray(every_other).tobytes(), 3, 2),
    ]


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4, 3), np.float32),
        np.zeros((4, 4, 3), np.int8),
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((1, 4, 4, 3), np.uint8),
        np.zeros((1, 4, 3, 3), np.uint8),
        np.zeros((3, 4, 4), np.uint8),
    ],
    ids=lambda array: f"{array.dtype}{array.shape}",
)
def test_an_array_that_is_no_bgr_image_is_refused(array: Any) -> None:
    with pytest.raises(SourceError, match=f"an array of {array.dtype} .* is needed"):
        from_items([array]).take(1)


@pytest.mark.parametrize("item", [3, None, 1.5, ["/a.jpg"], object()])
def test_an_item_of_no_known_kind_is_refused_by_its_type(item: Any) -> None:
    with pytest.raises(SourceError, match=f"a {type(item).__name__} is no image"):
        from_items([item]).take(1)


def test_a_generator_is_read_no_further_than_it_is_taken() -> None:
    asked = iter(range(1000))
    source = from_items(f"/{number}.jpg" for number in asked)
    assert source.total is None
    assert source.take(3) == refs("/0.jpg", "/1.jpg", "/2.jpg")
    assert source.take(0) == []
    assert next(asked) == 3


@pytest.mark.parametrize("count", [1, 2, 3, 4, 100])
def test_a_source_is_exhausted_after_its_last_item(count: int) -> None:
    source = IterableSource(refs("/1", "/2", "/3", "/4"))
    assert everything(source, count) == refs("/1", "/2", "/3", "/4")


def test_an_exhausted_source_stays_exhausted() -> None:
    source = IterableSource(refs("/1"))
    source.take(2)
    assert source.exhausted
    assert source.take(0) == []
    assert source.exhausted


def test_nothing_to_wait_on_where_nothing_has_to_be_waited_for() -> None:
    assert from_items([]).fds == ()


def test_a_link_that_leads_back_to_itself_is_an_item_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "good.jpg").touch()
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    taken = from_targets([str(tmp_path)], times=1).take(9)
    assert taken == [FileRef(os.fsencode(tmp_path / name)) for name in ("good.jpg", "loop.jpg")]


@pytest.mark.parametrize(
    "item", ["a.jpg", Path("a.jpg"), b"bytes", bytearray(b"x"), np.zeros((5, 3, 3), np.uint8)]
)
def test_one_item_on_its_own_is_told_to_come_in_a_list(item: Any) -> None:
    with pytest.raises(SourceError, match="put it into a list"):
        from_items(item)


def test_what_is_no_iterable_is_told() -> None:
    with pytest.raises(SourceError, match="a int is no iterable of images"):
        from_items(5)  # type: ignore[arg-type]
