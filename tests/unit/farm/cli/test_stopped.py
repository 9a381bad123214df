"""What a stopped run says."""

from __future__ import annotations

import logging
import os
import shlex
from pathlib import Path

import pytest

from farm.cli.request import Request
from farm.cli.stopped import LONGEST, how_to_go_on, resuming, tell_stop


def words_of(command: str) -> list[str]:
    """Return the words that come after `run` in a command, as a shell splits them."""
    words = shlex.split(command)
    return words[words.index("run") + 1 :]


def asked(output: Path | None, *typed: str) -> Request:
    """Return the request of a run that writes to `output`."""
    return Request(
        command="run",
        targets=(),
        recursive=False,
        repeat=1,
        output=output,
        html=None,
        annotate=None,
        resume=False,
        overwrite=False,
        typed=typed,
        ordered=False,
        quiet=False,
    )


@pytest.mark.parametrize(
    ("typed", "then"),
    [
        (("host", "p/", "-o", "r.jsonl"), ["host", "p/", "-o", "r.jsonl", "--resume"]),
        (("-o", "r.jsonl", "--resume", "a b"), ["-o", "r.jsonl", "a b", "--resume"]),
        (("--overwrite", "p/", "-o", "r.jsonl"), ["p/", "-o", "r.jsonl", "--resume"]),
        (("-o", "r.jsonl", "--", "-x.jpg"), ["-o", "r.jsonl", "--resume", "--", "-x.jpg"]),
        (("-o", "$HOME's *.jsonl"), ["-o", "$HOME's *.jsonl", "--resume"]),
    ],
)
def test_the_command_that_goes_on_has_the_words_that_were_typed(
    typed: tuple[str, ...], then: list[str]
) -> None:
    assert words_of(resuming("run", typed)) == then


def test_nothing_can_be_gone_on_with_without_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")
    for output in (None, tmp_path / "none.jsonl", tmp_path / "pipe.jsonl"):
        assert how_to_go_on(asked(output), listed=False) is None


def test_a_table_can_not_be_resumed_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "r.csv").touch()
    said = how_to_go_on(asked(tmp_path / "r.csv", "-o", "r.csv"), listed=False)
    assert said is not None
    assert "--resume" not in said
    assert ".jsonl" in said


def test_a_command_with_the_token_of_a_hub_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").touch()
    said = how_to_go_on(asked(tmp_path / "r.jsonl", "nats://secret@hub:4222"), listed=False)
    assert said is not None
    assert "--resume" in said
    assert "secret" not in said


def test_a_command_of_thousands_of_names_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").touch()
    said = how_to_go_on(asked(tmp_path / "r.jsonl", *["photo.jpg"] * LONGEST), listed=False)
    assert said is not None
    assert "--resume" in said
    assert "photo.jpg" not in said


@pytest.mark.parametrize(
    ("done", "total", "facts"),
    [(3, 9, ("3 of 9", "again")), (3, None, ("3 images", "again")), (9, 9, ("9 of 9",))],
)
def test_a_stop_says_how_many_of_how_many(
    done: int, total: int | None, facts: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "farm"):
        tell_stop(2, done, total, "again")
    assert all(fact in caplog.text for fact in facts)
    assert ("again" in caplog.text) == (done != total)
