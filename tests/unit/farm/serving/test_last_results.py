"""A few of the results are shown, small; those who wait for theirs pay nothing for it."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from farm.pictures.thumbnail import SIDE
from farm.results.result import DetectedObject, Prediction
from farm.serving.last_results import MOST, UNWATCHED_SECONDS, WATCHED_SECONDS, LastResults
from farm.sources.base import Item
from tests.helpers.looks import HOSTILE, result
from tests.helpers.support import ROOT, wait_for

TOP = (Prediction(3, "eel", 0.75), Prediction(1, None, 0.25))
PIXELS = np.zeros((600, 900, 3), np.uint8)


class Clock:
    """A time that the test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def last_results(*, thumbnails: bool = True) -> tuple[LastResults, Clock]:
    clock = Clock()
    return LastResults(10_000_000, thumbnails=thumbnails, clock=clock), clock


def shown(results: LastResults, item: Item, **answer: Any) -> dict[str, Any]:
    """The card that is made of a result."""
    before = results.newer(0)
    results.offer(item, result(None, **answer))
    assert wait_for(lambda: len(results.newer(0)) > len(before))
    card: dict[str, Any] = json.loads(results.newer(0)[-1].json)
    return card


def as_image(card: dict[str, Any]) -> Any:
    return cv2.imdecode(np.frombuffer(base64.b64decode(card["thumb"]), np.uint8), cv2.IMREAD_COLOR)


def test_a_card_has_what_draws_it(renders: list[Path]) -> None:
    card = shown(last_results()[0], renders[0].read_bytes(), top5=TOP)
    assert card["top"] == [[3, 0.75], [1, 0.25]]
    assert card["classes"]["3"][0] == "eel"
    assert card["classes"]["1"][0] is None
    assert max(as_image(card).shape) == SIDE


def test_pixels_have_thumbnails_too() -> None:
    objects = (DetectedObject(2, "cup", 0.5, (1.0, 2.0, 3.0, 4.0)),)
    card = shown(last_results()[0], PIXELS, objects=objects, size=(900, 600))
    assert card["objects"] == [[2, 0.5, 1.0, 2.0, 3.0, 4.0]]
    assert as_image(card).shape == (171, SIDE, 3)


def test_what_a_worker_could_not_read_is_not_tried_here(renders: list[Path]) -> None:
    """It may be what has killed the worker."""
    card = shown(last_results()[0], renders[0].read_bytes(), error=("worker_died", "it died"))
    assert (card["thumb"], card["error"]) == (None, ["worker_died", "it died"])


@pytest.mark.parametrize("item", [b"", b"text", "/etc/passwd", np.zeros((0, 0, 3), np.uint8)])
def test_what_is_no_picture_has_none(item: Item) -> None:
    assert shown(last_results()[0], item, top5=TOP)["thumb"] is None


def test_few_are_taken_and_fewer_while_nobody_looks() -> None:
    results, clock = last_results(thumbnails=False)
    for watched, seconds in ((0, UNWATCHED_SECONDS), (1, WATCHED_SECONDS)):
        results.watched = watched
        clock.now += seconds
        shown(results, b"", top5=TOP)
        count = len(results.newer(0))
        for _ in range(100):
            clock.now += seconds / 200
            results.offer(b"", result(None, top5=TOP))
        assert wait_for(lambda: not results.busy)
        assert len(results.newer(0)) == count


def test_only_one_is_made_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it takes, no images pile up in memory."""
    results, clock = last_results(thumbnails=False)
    monkeypatch.setattr(results, "_take", lambda *_: None)  # which never comes to its end
    for _ in range(5):
        clock.now += UNWATCHED_SECONDS
        results.offer(b"", result(None, top5=TOP))
    assert results.busy


def test_the_last_ones_are_kept() -> None:
    results, clock = last_results(thumbnails=False)
    for number in range(MOST + 5):
        clock.now += UNWATCHED_SECONDS
        results.offer(b"", result(None, id=number, top5=TOP))
        assert wait_for(lambda: not results.busy)
    assert [json.loads(card.json)["id"] for card in results.newer(0)] == [*range(5, MOST + 5)]
    last = results.newer(0)[-1]
    assert results.newer(last.number - 1) == [last]
    assert results.newer(last.number) == []


def test_a_number_of_an_earlier_life_of_the_service_hides_nothing() -> None:
    results, _ = last_results(thumbnails=False)
    shown(results, b"", top5=TOP)
    assert results.newer(900) == results.newer(0)


def test_any_label_is_data() -> None:
    results, clock = last_results(thumbnails=False)
    for label in HOSTILE:
        clock.now += UNWATCHED_SECONDS
        results.offer(b"", result(None, top5=(Prediction(1, label, 0.5),)))
        assert wait_for(lambda: not results.busy)
        card = results.newer(0)[-1].json
        assert "<" not in card
        assert "\n" not in card
        assert card.isascii()


def test_a_small_file_of_very_many_pixels_is_not_decoded_in_this_process() -> None:
    """In a process of its own: the limit holds for all of it, and is set before OpenCV is there."""
    code = """
        from farm.serving.last_results import LastResults
        results = LastResults(100_000_000, thumbnails=True)
        import cv2, json, numpy as np
        from tests.helpers.looks import result
        for height in (4900, 5100):
            png = cv2.imencode(".png", np.zeros((height, 5000), np.uint8))[1].tobytes()
            assert len(png) < 100_000
            results._take(png, result(None))
            print(json.loads(results.newer(0)[-1].json)["thumb"] is not None)
    """
    lines = textwrap.dedent(code)
    ended = subprocess.run([sys.executable, "-c", lines], capture_output=True, check=True, cwd=ROOT)
    assert ended.stdout.decode().split() == ["True", "False"]


def test_without_thumbnails_nothing_is_loaded_for_them() -> None:
    code = """
        import sys
        from farm.serving.last_results import LastResults
        LastResults(1, thumbnails=False)
        print([name for name in ("cv2", "PIL") if name in sys.modules])
    """
    lines = "\n".join(line.strip() for line in code.splitlines())
    ended = subprocess.run([sys.executable, "-c", lines], capture_output=True, check=True)
    assert ended.stdout.decode().strip() == "[]"
