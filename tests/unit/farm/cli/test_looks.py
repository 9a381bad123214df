"""What a run opens to look at: what it was asked for, and nothing otherwise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from farm.cli.looks import open_looks
from farm.cli.request import Request
from farm.errors import OutputError
from farm.pictures.annotate import Annotator
from farm.pictures.copies import MARK
from farm.pictures.gallery import Gallery
from farm.system.signals import Signals

AS_A_FARM: Any = {"seconds": 10.0, "max_pixels": 100_000_000}
PLAIN = Request(
    command="run",
    targets=("photos/",),
    recursive=False,
    repeat=1,
    output=None,
    html=None,
    annotate=None,
    resume=False,
    overwrite=False,
    typed=("photos/",),
    ordered=False,
    quiet=True,
)


def opened(request: Request) -> list[type]:
    with open_looks(request, None, Signals(), **AS_A_FARM) as looks:
        made = looks.pages if looks.annotator is None else (*looks.pages, looks.annotator)
        return [type(look) for look in made]


def test_nothing_is_opened_that_was_not_asked_for(tmp_path: Path) -> None:
    assert opened(PLAIN) == []
    assert opened(replace(PLAIN, html=tmp_path / "a.html")) == [Gallery]
    assert list(tmp_path.iterdir()) == []  # nothing was summed up


def test_overwrite_is_for_the_page_too(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("an earlier page")
    request = replace(PLAIN, html=tmp_path / "a.html")
    with pytest.raises(OutputError):
        opened(request)
    assert opened(replace(request, overwrite=True)) == [Gallery]
    assert (tmp_path / "a.html").read_text() == "an earlier page"


def test_copies_have_a_folder_of_their_own(tmp_path: Path) -> None:
    request = replace(PLAIN, annotate=tmp_path / "copies")
    assert opened(request) == [Annotator]
    assert [path.name for path in (tmp_path / "copies").iterdir()] == [MARK]
    assert opened(replace(request, html=tmp_path / "a.html")) == [Gallery, Annotator]
    (tmp_path / "copies" / MARK).unlink()
    (tmp_path / "copies" / "mine.jpg").touch()
    for again in (False, True):
        with pytest.raises(OutputError):
            opened(replace(request, overwrite=again, resume=again))


def test_a_page_may_be_in_the_folder_of_copies_but_its_pictures_not(tmp_path: Path) -> None:
    copies = tmp_path / "seen"
    inside = replace(PLAIN, annotate=copies, html=copies / "a.html")
    assert opened(inside) == [Gallery, Annotator]
    assert opened(inside) == [Gallery, Annotator]
    with pytest.raises(OutputError, match="a_files"):  # at once, not after the run
        opened(replace(PLAIN, annotate=tmp_path / "a_files", html=tmp_path / "a.html"))


def test_a_run_without_copies_lacks_none() -> None:
    with open_looks(PLAIN, None, Signals(), **AS_A_FARM) as looks:
        assert not looks.lacking
