"""A result's picture is read once more as its worker has read it, or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from farm.pictures.reread import picture
from tests.helpers.looks import result
from tests.helpers.support import ROOT, wait_for


def test_it_is_upright_and_its_pixels_may_be_fewer(renders: list[Path]) -> None:
    whole, small = picture(result(renders[0])), picture(result(renders[0]), lambda _: (8, 8))
    assert whole is not None
    assert small is not None
    assert whole[1] == small[1] == whole[0].shape[1::-1]
    assert whole[0].shape[0] > small[0].shape[0] >= 8


@pytest.mark.parametrize("name", ["missing.jpg", "\ud800.jpg", "empty.jpg", "text.jpg"])
def test_what_is_no_picture_is_none(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("no picture")
    assert picture(result(f"{tmp_path}/{name}")) is None


@pytest.mark.parametrize(
    "how", ["written to", "replaced by an older file", "a link turned", "size"]
)
def test_a_picture_that_has_changed_since_its_worker_read_it_is_none(
    how: str, tmp_path: Path, renders: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The boxes of one picture on another would be a wrong result, and nothing would tell."""
    path, other, link = (tmp_path / name for name in ("a.jpg", "b.jpg", "link.jpg"))
    data = renders[0].read_bytes()
    path.write_bytes(data)
    other.write_bytes(data)
    link.symlink_to(path)
    read = result(link, read_at=os.stat(link, follow_symlinks=False).st_ctime)
    assert picture(read) is not None
    if how == "size":
        assert picture(replace(read, size=(1, 1))) is None
        return

    def is_noticed() -> bool:
        match how:
            case "written to":
                path.write_bytes(data)
            case "a link turned":
                link.unlink()
                link.symlink_to(other)
            case _:
                path.rename(tmp_path / "before.jpg")
                other.rename(path)
                (tmp_path / "before.jpg").rename(other)
        return picture(read) is None

    assert wait_for(is_noticed)  # once the kernel's clock has ticked
    monkeypatch.setattr("time.time", lambda: 0.0)
    assert picture(read) is not None  # all times are still to come: nothing is known


def test_what_killed_workers_is_left_alone(renders: list[Path]) -> None:
    assert picture(result(renders[0], error=("worker_died", "3 times"))) is None
    assert picture(result(renders[0], error=("bad_output", "nan"))) is not None


def test_what_has_no_file_has_no_picture() -> None:
    assert picture(result(None)) is None


def test_the_limit_is_the_farms_and_the_users_variables_do_not_count(renders: list[Path]) -> None:
    """In a process of its own: OpenCV takes it when it is imported."""
    asked = (
        "import sys; from farm.pictures.reread import picture, prepare; "
        "from tests.helpers.looks import result; "
        "prepare(int(sys.argv[2])); print(picture(result(sys.argv[1])) is None)"
    )
    for limit, none in (("100", True), ("100000000", False)):
        done = subprocess.run(
            [sys.executable, "-c", asked, renders[0], limit],
            cwd=ROOT,
            env={"OPENCV_IO_MAX_IMAGE_WIDTH": "wide"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == f"{none}\n"
