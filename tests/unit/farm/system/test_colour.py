"""Colours for words with a meaning: on terminals that show them, and nowhere else."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import Any, Final

import pytest

from farm.cli.summary import failures, plan_table
from farm.doctor.finding import Report, failure, ok, warning
from farm.report.compare import Earlier, comparison
from farm.report.text_table import troubles
from farm.results.text_line import failure_line
from farm.system.colour import WARNING, coloured
from farm.system.terminal import UNLIMITED, wrapped
from tests.helpers import reports
from tests.helpers.results import failed
from tests.unit.farm.cli.test_summary import planned, summarized

COLOURS: Final = {"31": "red", "32": "green", "33": "yellow"}


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)


def shown(text: str, colour: str | None = None) -> list[tuple[str, str]]:
    """Return what is in a colour, each with its colour."""
    found = re.findall(r"\x1b\[([\d;]+)m(.*?)\x1b\[0m", coloured(text, Screen(), colour), re.S)
    return [(COLOURS[code], words) for code, words in found]


def test_a_doctors_words_have_the_colour_of_their_status() -> None:
    bad = warning("CPUs", "a warning is yellow", "true"), failure("NPU", "ok is green", "true")
    assert shown(Report((ok("SoC", "rk3588"), *bad)).to_text()) == [
        ("green", "ok"),
        ("yellow", "warning"),
        ("red", "failure"),
        ("red", "1 failure"),
        ("yellow", "1 warning"),
    ]
    assert shown(Report((ok("SoC", "rk3588"),)).to_text())[-1] == ("green", "no problems found")


def test_the_error_of_an_image_is_red_and_its_name_is_not() -> None:
    assert shown(failure_line(failed("missing", "no such file"))) == [
        ("red", "error: missing: no such file")
    ]


def test_a_summary_shows_what_went_wrong() -> None:
    wrong: dict[str, Any] = {"failed": 1, "failures": {"missing": 1}, "losses": 1, "dropped": 1}
    found = shown("\n".join(summarized(left_out=(1,), **wrong)))
    assert {("red", "Failed"), ("yellow", "Workers lost"), ("yellow", "Dropped"),
            ("yellow", "LEFT OUT")} == set(found)  # fmt: skip
    assert shown("\n".join(summarized())) == []


@pytest.mark.parametrize("width", [UNLIMITED, 15])
def test_a_benchmark_shows_what_distorts_its_figures(width: int) -> None:
    size = replace(reports.measured(3), failures={"missing": 3}, losses=2, left_out=(1,))
    found = shown("\n".join(wrapped(troubles(size), width)))
    words = {(colour, word) for colour, said in found for word in said.split()}
    assert words == {
        *[("yellow", word) for word in ("LEFT", "OUT", "workers", "lost")],
        *[("red", word) for word in ("images", "failed")],
    }


def test_a_comparison_shows_what_was_not_the_same() -> None:
    now = reports.report()
    before = Earlier(platform="rk3566", what=now.what, images=now.images, sizes=(), machine={})
    assert ("yellow", "NOT THE SAME") in shown("\n".join(comparison(before, now, "old.json")))


def test_a_plan_shows_its_notices() -> None:
    lines = plan_table(replace(planned(), notices=("CPUs are missing",)))
    assert shown("\n".join(lines)) == [("yellow", "note:")]


def test_a_message_without_such_words_has_the_colour_of_its_level() -> None:
    assert shown("worker 1 died", WARNING) == [("yellow", "worker 1 died")]
    assert shown("worker 1 died") == []


def test_the_failures_of_a_run_are_red_though_they_are_a_warning() -> None:
    lines = failures([failed("missing", "no such file")], 12, None)
    assert shown("\n".join(lines), WARNING) == [
        ("red", "12 failed:"),
        ("red", "error: missing: no such file"),
    ]


def test_nothing_else_is_changed() -> None:
    text = f"error: {'a/long/path' * 20}  [red]not markup[/red] 12 'text'\n\nend\n"
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured(text, Screen(), WARNING)) == text


@pytest.mark.parametrize(
    ("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb"), ("TERM", ""), ("TERM", "unknown")]
)
def test_there_are_no_colours_for_who_wants_none(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert coloured("error: no", Screen(), WARNING) != "error: no"
    monkeypatch.setenv(name, value)
    assert coloured("error: no", Screen(), WARNING) == "error: no"


def test_a_file_gets_no_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert coloured("error: no", io.StringIO(), WARNING) == "error: no"
