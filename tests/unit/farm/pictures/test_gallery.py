"""The gallery of a run: its cards, its thumbnails inside or beside it, what it lacks."""

from __future__ import annotations

import base64
import json
import re
import threading
from pathlib import Path
from typing import Any

import pytest

from farm.errors import OutputError, WriterError
from farm.pictures import choice, gallery
from farm.pictures.draft import Draft
from farm.pictures.gallery import Gallery
from farm.results.result import Prediction, Result
from farm.results.stats import Stats
from farm.system.signals import Signals
from tests.helpers.figures import subject
from tests.helpers.looks import MACHINE, make_page, result
from tests.helpers.support import PATIENCE


def block(page: Path, name: str) -> Any:
    """What a page's script finds in the block `name`."""
    found = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>',
                      page.read_text(), re.S)  # fmt: skip
    assert found is not None
    return json.loads(found[1])


def classified(renders: list[Path], count: int) -> list[Result]:
    top = (Prediction(3, "tench, Tinca tinca", 0.9), Prediction(4, None, 0.05))
    return [result(renders[k % len(renders)], id=k, top5=top) for k in range(count)]


def care(page: Path) -> str:
    found = re.search(r'<section class="care">(.*?)</section>', page.read_text(), re.S)
    return "" if found is None else found[1]


def test_each_result_is_a_card_with_its_picture(tmp_path: Path, renders: list[Path]) -> None:
    page = make_page(tmp_path / "a.html", classified(renders, 5))
    cards = block(page, "cards")
    assert [card["id"] for card in cards] == [0, 1, 2, 3, 4]
    assert [card["path"] for card in cards] == [str(path) for path in renders[:5]]
    assert all(base64.b64decode(card["thumb"]).startswith(b"\xff\xd8") for card in cards)
    assert len({card["thumb"] for card in cards}) == 5
    data = block(page, "data")
    assert data["folder"] is None
    assert data["classes"]["3"][0] == "tench, Tinca tinca"
    assert data["classes"]["4"][0] is None
    assert care(page) == ""
    assert [path.name for path in tmp_path.iterdir()] == ["a.html"]


def test_a_larger_page_has_its_pictures_in_a_folder(
    tmp_path: Path, renders: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gallery, "EMBEDDED", 10_000)
    page = make_page(tmp_path / "a b.html", [*classified(renders, 3), result("gone.jpg", top5=())])
    assert [card["thumb"] for card in block(page, "cards")] == [
        "000000.jpg",
        "000001.jpg",
        "000002.jpg",
        None,
    ]
    assert block(page, "data")["folder"] == "a%20b_files"
    assert sorted(path.name for path in (tmp_path / "a b_files").iterdir()) == [
        "000000.jpg",
        "000001.jpg",
        "000002.jpg",
    ]


def test_what_has_no_picture_is_there_all_the_same(tmp_path: Path) -> None:
    errors = [result("gone.jpg", error=("missing", "no such file")), result(None, top5=())]
    cards = block(make_page(tmp_path / "a.html", errors), "cards")
    assert [card["thumb"] for card in cards] == [None, None]
    assert cards[0]["error"] == ["missing", "no such file"]


def test_of_very_many_the_page_says_which_it_shows(
    tmp_path: Path, renders: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "FIRST", 2)
    late = result("gone.jpg", id=9, error=("missing", "no such file"))
    page = make_page(tmp_path / "a.html", [*classified(renders, 6), late])
    assert [card["id"] for card in block(page, "cards")] == [0, 1, 9]
    assert "7 images" in care(page)


def test_a_run_of_nothing_is_a_page(tmp_path: Path) -> None:
    assert block(make_page(tmp_path / "a.html", []), "cards") == []


def test_simulated_is_said_at_the_top(tmp_path: Path) -> None:
    page = make_page(tmp_path / "a.html", [result("a", top5=(), simulated=True)]).read_text()
    assert '<span class="stamp">SIMULATED</span>' in page
    assert "<title>SIMULATED" in page
    real = make_page(tmp_path / "a.html", [result("a", top5=())]).read_text()
    assert "SIMULATED" not in real


def test_a_run_that_was_resumed_says_so(tmp_path: Path) -> None:
    page = make_page(tmp_path / "a.html", [result("a", top5=())], skipped=7, total=8)
    assert "7 of the images were done by earlier runs" in care(page)


def fill(made: Gallery, *, ended: int, total: int) -> None:
    """Let a gallery see so many results, and sum them up."""
    stats = Stats()
    for _ in range(ended):
        made.write(result("a", top5=()), 0.0)
        stats.count(result("a", top5=()))
    made.sum_up(stats.summary(seconds=1.0), subject(), MACHINE, total)


def test_a_run_that_broke_off_has_its_page_and_the_reason(tmp_path: Path) -> None:
    page = tmp_path / "a.html"

    def break_off() -> None:
        with Gallery(page, None, Signals(), 1.0, overwrite=False) as made:
            fill(made, ended=1, total=9)
            raise RuntimeError("no <workers>")

    with pytest.raises(RuntimeError):
        break_off()
    assert "broke off after 1 of 9 images: no &lt;workers&gt;" in care(page)
    assert len(block(page, "cards")) == 1


@pytest.mark.parametrize("breaks_off", [False, True])
def test_a_full_disk_is_told_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, breaks_off: bool
) -> None:
    """What was buffered is written when the file is closed, at the latest."""

    class Full(Draft):
        cards = property(lambda _: Path("/dev/full"), lambda *_: None)

    monkeypatch.setattr(gallery, "Draft", Full)
    name = tmp_path / "a.html"

    def run() -> None:
        with Gallery(name, None, Signals(), 1.0, overwrite=False) as made:
            made.write(result("a", top5=()), 0.0)
            if breaks_off:
                raise RuntimeError
            fill(made, ended=1, total=1)

    with pytest.raises((RuntimeError, OutputError)) as caught:
        run()
    if not breaks_off:
        assert f"{name}: cannot write it: No space left" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_farm_that_did_not_start_leaves_no_page(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), Gallery(tmp_path / "a.html", None, Signals(), 1.0,
                                              overwrite=False):  # fmt: skip
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("signals", [1, 2])
def test_a_stopped_run_waits_for_its_pictures_for_a_short_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, signals: int
) -> None:
    hanging, seconds = threading.Event(), 0.0 if signals == 1 else PATIENCE * 10
    monkeypatch.setattr(gallery, "write_thumbnail", lambda *_: hanging.wait(PATIENCE * 10) and 0)
    caught = Signals()
    with Gallery(tmp_path / "a.html", None, caught, seconds, overwrite=False) as made:
        fill(made, ended=9, total=20)
        caught.received += [2] * signals
    hanging.set()
    said = care(tmp_path / "a.html")
    assert "stopped by a signal after 9 of 20 images" in said
    assert "9 pictures could not be made smaller in time" in said


def test_a_full_disk_ends_the_run_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(gallery, "write_thumbnail", full)

    def run() -> None:
        with Gallery(tmp_path / "a.html", None, Signals(), 1.0, overwrite=False) as made:
            fill(made, ended=1, total=1)

    with pytest.raises((WriterError, OutputError), match=r"a.html: cannot write.*No space"):
        run()
    assert list(tmp_path.iterdir()) == []


def test_if_both_the_run_and_the_page_fail_the_run_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    page = tmp_path / "a.html"

    def run() -> None:
        with Gallery(page, None, Signals(), 1.0, overwrite=False) as made:
            fill(made, ended=0, total=1)
            page.write_text("another's")
            raise RuntimeError("first")

    with pytest.raises(RuntimeError, match="first"):
        run()
    assert "a.html is there already" in caplog.text
