"""A benchmark beside an earlier one: its ratios, and what else is not the same."""

from __future__ import annotations

import pytest

from farm.errors import SourceError
from farm.report.compare import Earlier, comparison, differences, ratios, read
from farm.report.data import Report
from farm.report.export import as_json
from tests.helpers.figures import a_round, measured, report, subject

FASTER = measured(rounds=(a_round(seconds=0.5),))


def earlier(whole: Report) -> Earlier:
    return read(as_json(whole).encode(), "old.json")


def test_the_ratio_is_before_by_now_for_the_sizes_that_both_have() -> None:
    now = report(FASTER, measured(runtimes=15))
    before = earlier(report(measured(runtimes=1), measured()))
    ((size, _, ratio),) = ratios(before, now)
    assert (size.runtimes, ratio) == (3, 2.0)
    lines = comparison(before, now, "old.json")
    assert lines[2].split() == ["3", "1.00", "ms", "0.50", "ms", "2.00", "faster"]
    assert len(lines) == 3


def test_what_classified_nothing_has_no_ratio() -> None:
    none = report(measured(rounds=(a_round(images=0),)))
    assert ratios(earlier(report()), none) == ratios(earlier(none), report()) == []


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"model_sha256": "f" * 64}, "model"),
        ({"images": ("others/",)}, "images"),
        ({"config": {"decoders": 1, "batch": 8}}, "decoders"),
    ],
)
def test_what_else_has_changed_is_named(changes: dict[str, object], name: str) -> None:
    before, now = earlier(report()), report(subject=subject(**changes))
    assert list(differences(before, now)) == [name]
    assert len(comparison(before, now, "old.json")) == len(comparison(before, report(), "")) + 1


def test_another_machine_is_named_and_the_date_is_no_difference() -> None:
    before = earlier(report(machine={"CPU": "old", "date": "1"}))
    assert differences(before, report(machine={"CPU": "new", "date": "2"})) == {
        "CPU": ("old", "new")
    }


def test_a_file_without_a_subject_is_compared_and_said_to_be_unknown() -> None:
    text = as_json(report()).replace('"subject"', '"another"').encode()
    before = read(text, "old.json")
    assert before.subject is None
    assert len(ratios(before, report())) == 1
    assert (
        len(comparison(before, report(), ""))
        == len(comparison(earlier(report()), report(), "")) + 1
    )


@pytest.mark.parametrize("text", [b"", b"{}", b"[1]", b'{"platform": 1}', b"\xff"])
def test_what_is_no_benchmark_is_refused(text: bytes) -> None:
    with pytest.raises(SourceError):
        read(text, "old.json")
