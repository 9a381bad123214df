"""`npu-farm serve`: a real process, asked by real requests."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.helpers.server import GLYPHS, Server, serving


@pytest.fixture(scope="module")
def glyphs() -> Iterator[Server]:
    """A service of the bundled model of characters."""
    with serving(*GLYPHS) as server:
        yield server


def test_an_image_sent_by_curl_is_classified(glyphs: Server, renders: list[Path]) -> None:
    words = ["curl", "-s", "--data-binary", f"@{renders[0]}", f"{glyphs.url}/classify"]
    done = subprocess.run(words, capture_output=True, check=True)
    answer = httpx.Response(200, content=done.stdout).json()
    assert answer["error"] is None
    assert renders[0].stem.endswith(f"_{answer['top5'][0]['label']}")


def test_what_is_no_image_is_refused_with_the_kind_of_a_run(glyphs: Server) -> None:
    answer = httpx.post(f"{glyphs.url}/classify", content=b"no image")
    assert answer.status_code == 415
    assert answer.json()["error"]["kind"] == "not_an_image"


def test_a_path_that_there_is_not_is_answered_in_json(glyphs: Server) -> None:
    answer = httpx.get(f"{glyphs.url}/nothing")
    assert (answer.status_code, answer.json()["error"]["kind"]) == (404, "not_found")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_the_code_of_a_run(number: signal.Signals) -> None:
    with serving(*GLYPHS) as server:
        assert server.end(number) == 128 + number
