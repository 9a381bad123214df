"""Copies have places of their own in a folder of their own; nothing of the user's is replaced."""

from __future__ import annotations

import os
import shutil
from itertools import combinations
from pathlib import Path

import pytest

from farm.errors import OutputError
from farm.pictures.copies import MARK, Copies, NoCopyError, parts, shared, stand_in
from farm.system.atomic_file import atomic_write

JPEG = (".jpg", ".jpeg")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with the folders photos/a, photos/b and the file list.txt."""
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        (tmp_path / "photos" / name / "1.jpg").write_bytes(b"mine")
    (tmp_path / "list.txt").write_text("photos/a/1.jpg\n")
    return tmp_path


OPEN: list[Copies] = []


def copies(
    folder: str = "out", *targets: str, again: bool = False, recursive: bool = False
) -> Copies:
    """Those of another run: the ones before are closed."""
    while OPEN:
        OPEN.pop().close()
    OPEN.append(Copies(Path(folder), targets or ("photos",), again=again, recursive=recursive))
    return OPEN[0]


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("targets", "path", "place"),
    [
        (("photos/a",), "photos/a/1.jpg", "1.jpg"),
        (("photos/",), "photos/a/1.jpg", "a/1.jpg"),
        (("./photos//a/",), "./photos//a/1.jpg", "1.jpg"),
        (("photos/a", "photos/b"), "photos/b/1.jpg", "b/1.jpg"),
        (("photos/a/1.jpg",), "photos/a/1.jpg", "1.jpg"),
        (("photos/a/1.jpg", "photos/b"), "photos/a/1.jpg", "a/1.jpg"),
        (("photos/*/1.jpg",), "photos/b/1.jpg", "b/1.jpg"),
        (("list.txt",), "photos/a/1.jpg", "photos/a/1.jpg"),
        (("-",), "/data/1.jpg", "_root/data/1.jpg"),
        (("-",), "../../1.jpg", "_up/_up/1.jpg"),
        (("photos", "list.txt"), "photos/a/1.jpg", "photos/a/1.jpg"),
        (("photos",), "photos/1.JPEG", "1.JPEG"),
        (("photos",), "photos/1.png", "1.png.jpg"),
        (("photos",), "photos/1", "1.jpg"),
        (("photos",), "photos/\udcff.jpg", "\udcff.jpg"),
    ],
)
def test_where_a_copy_is(targets: tuple[str, ...], path: str, place: str) -> None:
    assert copies("out", *targets).place(path, JPEG) == Path("out", place)


@pytest.mark.usefixtures("here")
def test_an_absolute_folder_is_shared_as_well(here: Path) -> None:
    made = copies("out", str(here / "photos"))
    assert made.place(str(here / "photos" / "a" / "1.jpg"), JPEG) == Path("out/a/1.jpg")


def test_no_two_paths_have_one_place() -> None:
    odd = ["1.jpg", "../1.jpg", "/1.jpg", "_up/1.jpg", "_root/1.jpg", "_up_/1.jpg", "_up__/1.jpg"]
    odd += ["a/1.jpg", "/a/1.jpg", "../a/1.jpg", "../../1.jpg", "_/1.jpg", "__/1.jpg"]
    places = ["/".join(map(stand_in, parts(path))) for path in odd]
    assert len(set(places)) == len(odd)
    assert not any(".." in place or place.startswith("/") for place in places)
    assert all(not Path(one).is_relative_to(other) for one, other in combinations(places, 2))


@pytest.mark.usefixtures("here")
def test_an_image_that_comes_again_has_its_copy() -> None:
    made = copies()
    assert made.place("photos/a/1.jpg", JPEG)
    assert made.place("photos/./a/1.jpg", JPEG) is None


@pytest.mark.usefixtures("here")
def test_two_images_never_have_one_copy() -> None:
    made = copies()
    assert made.place("photos/1.png", JPEG)
    with pytest.raises(NoCopyError, match=r"1\.png\.jpg"):
        made.place("photos/1.png.jpg", JPEG)


@pytest.mark.usefixtures("here")
def test_a_name_that_becomes_too_long_is_told() -> None:
    made = copies()
    assert made.place(f"photos/{'猫' * 80}.jpg", JPEG)
    with pytest.raises(NoCopyError, match="too long"):
        made.place(f"photos/{'猫' * 84}", JPEG)


def test_a_copy_is_written_whole(here: Path) -> None:
    made = copies()
    longest = "猫" * 83 + "x.jpg"
    for name in ("a/1.jpg", longest):
        place = made.place(f"photos/{name}", JPEG)
        assert place
        made.write(place, b"copy", "photos/a/1.jpg")
    assert (here / "out/a/1.jpg").read_bytes() == b"copy"
    assert (here / "photos/a/1.jpg").read_bytes() == b"mine"
    assert sorted(os.listdir("out")) == sorted([MARK, "a", longest])


@pytest.mark.parametrize("again", [False, True])
def test_a_folder_with_files_of_the_users_is_refused(here: Path, again: bool) -> None:
    with pytest.raises(OutputError, match="other files"):
        copies("photos/a", again=again)
    assert os.listdir(here / "photos" / "a") == ["1.jpg"]


def test_a_file_is_no_folder(here: Path) -> None:
    with pytest.raises(OutputError, match=r"list\.txt: it is no folder"):
        copies("list.txt")
    with pytest.raises(OutputError, match=r"list\.txt/out"):
        copies("list.txt/out")
    assert (here / "list.txt").is_file()


def test_copies_of_an_earlier_run_are_replaced_only_if_asked_for(here: Path) -> None:
    copies().write(Path("out/1.jpg"), b"earlier", "photos/a/1.jpg")
    with pytest.raises(OutputError, match="--overwrite"):
        copies()
    copies(again=True).write(Path("out/1.jpg"), b"new", "photos/a/1.jpg")
    assert (here / "out" / "1.jpg").read_bytes() == b"new"


@pytest.mark.usefixtures("here")
def test_an_empty_folder_and_one_without_copies_yet_are_taken() -> None:
    Path("out").mkdir()
    copies()
    copies()


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("folder", "targets", "recursive"),
    [
        ("photos/out", ("photos",), True),
        ("photos/a/out", ("list.txt", "photos/"), True),
        ("photos/out", ("photos/**/*.jpg",), False),
        ("out", ("**/*.jpg",), False),
    ],
)
def test_a_folder_among_the_images_is_refused(
    folder: str, targets: tuple[str, ...], recursive: bool
) -> None:
    with pytest.raises(OutputError, match="among the images"):
        copies(folder, *targets, recursive=recursive)
    assert not Path(folder).exists()


@pytest.mark.usefixtures("here")
def test_a_folder_beside_or_below_images_that_is_not_read_is_fine() -> None:
    copies("photos/out", "photos")
    copies("out", "photos", recursive=True)


def test_a_link_in_the_folder_leads_to_no_photo(here: Path) -> None:
    made = copies()
    (here / "out" / "a").symlink_to(here / "photos" / "a")
    with pytest.raises(OutputError, match="link"):
        made.write(Path("out/a/1.jpg"), b"copy", "photos/b/1.jpg")
    assert (here / "photos/a/1.jpg").read_bytes() == b"mine"


@pytest.mark.usefixtures("here")
def test_a_folder_that_another_run_writes_to_is_refused() -> None:
    copies()
    with pytest.raises(OutputError, match="another run"):
        Copies(Path("out"), ["photos"], again=True, recursive=False)
    copies(again=True)


def test_what_a_killed_run_has_left_is_removed_and_nothing_else(here: Path) -> None:
    made = copies()
    made.write(Path("out/a/1.jpg"), b"copy", "photos/a/1.jpg")
    with atomic_write(here / "out/a/2.jpg", "") as left:
        (here / "out/a/.mine.part").touch()
        copies(again=True)
        assert not left.exists()
        left.touch()
    found = {path.name for path in (here / "out").rglob("*") if path.is_file()}
    assert found == {MARK, "1.jpg", ".mine.part"}


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("moved", [False, True])
def test_a_folder_that_goes_meanwhile_is_not_made_once_more(moved: bool) -> None:
    made = copies()
    if moved:
        Path("out").rename("moved")
    else:
        shutil.rmtree("out")
    with pytest.raises(OutputError, match="removed"):
        made.write(Path("out/1.jpg"), b"copy", "photos/a/1.jpg")
    assert not Path("out").exists()


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    "place",
    ["out/a.gif.png", "out/a.gif.png/1.jpg/2.jpg", f"out/{'/'.join(['x' * 255] * 17)}"],
    ids=["a folder", "below a file", "too long a path"],
)
def test_a_place_that_can_not_be_ends_no_run(place: str) -> None:
    made = copies()
    made.write(Path("out/a.gif.png/1.jpg"), b"copy", "photos/a/1.jpg")
    with pytest.raises(NoCopyError):
        made.write(Path(place), b"copy", "photos/a/1.jpg")


def test_where_names_of_other_case_are_the_same_no_copy_replaces_another(here: Path) -> None:
    made = copies()
    assert all(made.place(f"photos/{name}", JPEG) for name in ("1.jpg", "1.JPG"))
    (here / "out" / MARK.upper()).touch()  # as a file system says that ignores case
    made = copies(again=True)
    assert made.place("photos/1.jpg", JPEG)
    with pytest.raises(NoCopyError, match=r"1\.JPG"):
        made.place("photos/1.JPG", JPEG)


def test_a_copy_that_is_an_image_of_the_run_is_left_alone(here: Path) -> None:
    made = copies()
    made.write(Path("out/1.jpg"), b"copy", "photos/a/1.jpg")
    with pytest.raises(OutputError, match="one of the images"):
        copies("out", "out", again=True).write(Path("out/1.jpg"), b"copy of a copy", "out/1.jpg")
    (here / "out" / "2.jpg").hardlink_to(here / "photos/a/1.jpg")
    with pytest.raises(OutputError, match="one of the images"):
        made.write(Path("out/2.jpg"), b"copy", "photos/a/1.jpg")


@pytest.mark.usefixtures("here")
def test_what_targets_share() -> None:
    assert shared(["photos/a", "photos/b"]) == ("photos",)
    assert shared(["photos/a", "/photos"]) == ()
    assert shared(["/x/y/*.jpg", "/x/z"]) == ("/",)
