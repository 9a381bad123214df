"""Findings as a report: for a terminal, for programs, with commands that can be pasted."""

from __future__ import annotations

import json

import pytest

from farm.doctor.finding import Finding, Report, Status, failure, not_here, ok, warning, worst
from tests.helpers.programs import NPU_FARM


@pytest.fixture(autouse=True)
def on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shell finds `npu-farm`, so that commands stay as they are written."""
    monkeypatch.setattr("shutil.which", lambda _name: NPU_FARM)


@pytest.mark.parametrize(
    ("findings", "status"),
    [
        ([], Status.OK),
        ([ok("a", "")], Status.OK),
        ([not_here("a", "")], Status.OK),
        ([ok("a", ""), warning("b", "", ""), ok("c", "")], Status.WARNING),
        ([failure("a", "", ""), warning("b", "", "")], Status.FAILURE),
    ],
)
def test_the_worst_of_all_counts(findings: list[Finding], status: Status) -> None:
    assert worst(findings) is status
    assert Report(tuple(findings)).status is status


def test_a_report_for_programs() -> None:
    report = Report((ok("a", "fine"), warning("b", "odd", "fix it")))
    assert json.loads(report.to_json(command="npu-farm doctor", config={"batch": 8})) == {
        "overall": "warning",
        "checks": [
            {"check": "a", "status": "ok", "message": "fine", "fix": None},
            {"check": "b", "status": "warning", "message": "odd", "fix": "fix it"},
        ],
        "command": "npu-farm doctor",
        "config": {"batch": 8},
    }


def test_what_a_terminal_would_act_on_is_escaped() -> None:
    found = (failure("a", "\x1b[31mred", "rm\n-rf"), ok("b", ""))
    assert Report((*found, *found)).to_text().splitlines() == [
        "failure  a  \\x1b[31mred",
        "         fix: rm\\n-rf",
        "ok       b  ",
        "failure  a  \\x1b[31mred",
        "         fix: rm\\n-rf",
        "ok       b  ",
        "2 failures",
    ]


def test_a_message_is_wrapped_below_itself_and_a_fix_stays_whole() -> None:
    long = " ".join(["word"] * 40)
    lines = Report((failure("check", long, long),)).to_text(80).splitlines()
    fixes = [line for line in lines if "fix: " in line]
    assert [line.partition("fix: ")[2] for line in fixes] == [long]
    told = lines[: lines.index(fixes[0])]
    assert max(map(len, told)) <= 80
    assert {line.index("word") for line in told} == {told[0].index("word")}
    assert " ".join(line.strip() for line in told).count("word") == 40


def test_failures_are_counted_before_warnings() -> None:
    report = Report((warning("a", "", ""), failure("b", "", ""), warning("c", "", "")))
    assert report.to_text().splitlines()[-1] == "1 failure, 2 warnings"


@pytest.mark.parametrize(
    ("fix", "pasted"),
    [
        ("npu-farm plan CONFIG", "npu-farm plan 'my board.yaml'"),
        ("npu-farm run CONFIG -s 2", "npu-farm run 'my board.yaml' -s 2"),
        ("sha256sum 'my CONFIG.rknn'", "sha256sum 'my CONFIG.rknn'"),  # a file of that name
        ("", ""),
    ],
)
def test_a_fix_can_be_pasted_whatever_the_config_is_called(fix: str, pasted: str) -> None:
    (found,) = Report((failure("a", "", fix),)).with_config_path("my board.yaml").findings
    assert found.fix == pasted
