"""A report as Markdown: a table with all sizes, and what was measured."""

from __future__ import annotations

from farm.report.cells import cells
from farm.report.markdown import as_markdown
from tests.helpers import reports
from tests.helpers.figures import report, subject


def test_it_has_a_row_of_cells_for_each_size() -> None:
    whole = reports.report()
    rows = [line for line in as_markdown(whole).splitlines() if line.startswith("| ")]
    assert {len(row.strip("| ").split(" | ")) for row in rows} == {7}
    assert [row.strip("| ").split(" | ") for row in rows[2:]] == [
        cells(whole, size) for size in whole.sizes
    ]


def test_no_name_becomes_markup() -> None:
    text = as_markdown(report(subject=subject(images=("a_b*<c>|\x1b",))))
    assert r"a\_b\*\<c\>\|" in text
    assert "\x1b" not in text
