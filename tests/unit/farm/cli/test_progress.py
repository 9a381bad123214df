"""How far a run is, where there is no terminal."""

from __future__ import annotations

import logging

import pytest

from farm.cli import progress
from farm.cli.progress import open_progress


def test_images_that_were_skipped_are_part_of_the_way(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, "farm")
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.0)
    with open_progress(100, lines_on_terminal=False) as shown:
        shown.advance(skipped=90)
    (record,) = caplog.records
    assert vars(record)["images"] == 91
    assert "91 of 100 images" in record.getMessage()
