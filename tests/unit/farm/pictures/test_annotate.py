"""Each result is given on once its copy is there; what can't be drawn is told."""

from __future__ import annotations

import errno
import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from PIL import Image

from farm.errors import InterruptedWriteError, OutputError, WriterError
from farm.pictures import annotate
from farm.pictures.annotate import MOST_PENDING, Annotator
from farm.pictures.colours import colour
from farm.pictures.copies import Copies
from farm.pictures.fonts import Fonts
from farm.results.result import DetectedObject, Prediction, Result
from farm.system.fd_writer import WriteDeadline
from tests.helpers.odd_images import turned_jpeg
from tests.helpers.results import BUS, TENCH, classified, detected, failed
from tests.helpers.support import PATIENCE
from workers.images.preprocess import decode

ORIENTATION: Final = 0x0112  # the EXIF tag


class Results:
    """Results that come when asked for; `submitted` is how many have been, and more."""

    def __init__(self, *results: Result, ahead: int = 0) -> None:
        self._left, self._ahead, self.given = iter(results), ahead, 0

    @property
    def submitted(self) -> int:
        return self.given + self._ahead

    def __iter__(self) -> Iterator[Result]:
        for each in self._left:
            self.given += 1
            yield each


class Over(WriteDeadline):
    """A deadline that is over at once."""

    def left(self) -> float | None:
        return 0.0


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def annotator(renders: list[Path], out: Path) -> Annotator:
    return make(renders, out)


def make(renders: list[Path], out: Path, deadline: WriteDeadline | None = None) -> Annotator:
    copies = Copies(out, (str(renders[0].parent),), again=False, recursive=False)
    return Annotator(copies, deadline or WriteDeadline())


def answers(renders: list[Path], count: int = 6) -> list[Result]:
    return [classified(TENCH, id=n, path=str(path)) for n, path in enumerate(renders[:count])]


def test_all_results_come_in_order_each_with_its_copy(
    annotator: Annotator, renders: list[Path], out: Path
) -> None:
    given = []
    for each in annotator.beside(Results(*answers(renders, 20), ahead=1)):
        given.append(each.id)
        assert (out / Path(each.path or "").name).is_file()
    assert given == list(range(20))
    assert (annotator.written, annotator.lacking, annotator.failed) == (20, 0, 0)


def test_no_result_is_held_back_while_the_next_one_is_waited_for(
    annotator: Annotator, renders: list[Path]
) -> None:
    results = Results(*answers(renders))
    for number, each in enumerate(annotator.beside(results)):
        assert (each.id, results.given) == (number, number + 1)


def test_only_so_many_results_wait_for_their_copies(
    annotator: Annotator, renders: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    results, go, asked = Results(*answers(renders, 20), ahead=1), threading.Event(), []

    def slow(*_: object) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        asked.append(results.given)
        assert go.wait(PATIENCE)
        return np.zeros((8, 8, 3), np.uint8)

    monkeypatch.setattr(annotate, "annotated", slow)
    shown = annotator.beside(results)
    threading.Timer(0.2, go.set).start()
    assert next(shown).id == 0
    assert results.given <= MOST_PENDING + 1
    assert len(list(shown)) == 19


def test_an_image_that_comes_again_is_drawn_once(
    annotator: Annotator, renders: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = []
    monkeypatch.setattr(
        annotate,
        "annotated",
        lambda image, *_: drawn.append(1) or image,  # type: ignore[func-returns-value]
    )
    assert len(list(annotator.beside(Results(*answers(renders, 3) * 3)))) == 9
    assert (len(drawn), annotator.written) == (3, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_boxes_are_in_the_upright_image(orientation: int, out: Path, tmp_path: Path) -> None:
    """Whichever way the camera was held; and the copy is not to be turned once more."""
    source, exif = tmp_path / "turned.jpg", Image.Exif()
    exif[ORIENTATION] = orientation
    Image.new("RGB", (960, 640), (90, 90, 90)).save(source, exif=exif, quality=95)
    size = decode(source.read_bytes())[1]
    box = DetectedObject(5, "bus", 0.9, (40.0, 200.0, 140.0, 300.0))
    list(make([source], out).beside(Results(detected(box, path=str(source), size=size))))
    made = (out / "turned.jpg").read_bytes()
    pixels, shown = decode(made)
    assert shown == size == ((640, 960) if orientation > 4 else (960, 640))
    for y, x in ((250, 40), (250, 139), (299, 90)):
        assert abs(pixels[y, x].astype(int) - colour(5)[::-1]).max() < 60
        assert pixels[y, x].max() - pixels[y, x].min() > 60
    assert abs(pixels[250, 90].astype(int) - 90).max() < 10
    with Image.open(out / "turned.jpg") as opened:
        assert ORIENTATION not in opened.getexif()


def test_what_ended_in_an_error_has_no_copy(
    annotator: Annotator, out: Path, caplog: pytest.LogCaptureFixture, renders: list[Path]
) -> None:
    caplog.set_level(logging.INFO, "farm")
    results = Results(failed("empty", "the file is empty"), *answers(renders, 1))
    assert len(list(annotator.beside(results))) == 2
    annotator.tell()
    assert (annotator.written, annotator.failed, annotator.lacking) == (1, 1, 0)
    assert caplog.messages == [f"Written: {out}, copies of 1 image; none of 1 image with an error"]


@pytest.mark.parametrize("how", ["gone", "other", "same size", "damaged"])
def test_an_image_that_has_changed_is_told_and_the_others_go_on(
    how: str, tmp_path: Path, renders: list[Path], caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for path in renders[:2]:
        (folder / path.name).write_bytes(path.read_bytes())
    changed, good = sorted(folder.iterdir())
    size = decode(changed.read_bytes())[1]
    if how == "gone":
        changed.unlink()
    else:
        others = {"other": turned_jpeg(), "same size": changed.read_bytes(), "damaged": b"no image"}
        changed.write_bytes(others[how])
    read_at = changed.stat().st_ctime - 1 if how == "same size" else None
    annotator = make([changed], tmp_path / "out")
    results = [detected(BUS, path=str(changed), size=size, read_at=read_at), *answers([good])]
    assert len(list(annotator.beside(Results(*results)))) == 2
    annotator.tell()
    assert (annotator.written, annotator.lacking) == (1, 1)
    assert changed.name in annotator.first_lacking
    assert annotator.first_lacking in caplog.text


def test_names_that_no_font_has_are_told_once(
    renders: list[Path],
    out: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(annotate, "Fonts", lambda: Fonts(()))
    annotator = make(renders, out)
    dog = Prediction(3, "कुत्ता", 0.5)
    list(annotator.beside(Results(*[classified(dog, path=str(path)) for path in renders[:3]])))
    annotator.tell()
    assert len(caplog.messages) == 1
    assert "क" in caplog.messages[0]
    assert "sudo apt install fonts-noto-core" in caplog.messages[0]


def test_a_full_disk_ends_the_run(
    annotator: Annotator, renders: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OutputError("--annotate out: no space left on device") from OSError(errno.ENOSPC)

    monkeypatch.setattr(Copies, "write", full)
    with pytest.raises(WriterError, match="no space"):
        list(annotator.beside(Results(*answers(renders))))
    assert annotator.written == 0


def test_a_signal_drops_copies_that_are_not_drawn(
    renders: list[Path], out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()
    monkeypatch.setattr(annotate, "annotated", lambda *_: go.wait(PATIENCE))
    annotator = make(renders, out, Over())
    begun = time.monotonic()
    with pytest.raises(InterruptedWriteError, match="6"):
        list(annotator.beside(Results(*answers(renders), ahead=1)))
    assert time.monotonic() - begun < PATIENCE / 2
    go.set()


def test_the_threads_end_with_the_results(annotator: Annotator, renders: list[Path]) -> None:
    before = set(threading.enumerate())
    list(annotator.beside(Results(*answers(renders))))
    for thread in set(threading.enumerate()) - before:
        thread.join(PATIENCE)
    assert set(threading.enumerate()) <= before
