"""The cells of a benchmark's table."""

from __future__ import annotations

from farm.report.cells import cells, heads
from farm.report.data import Published
from tests.helpers.figures import measured, report


def test_a_size_has_a_cell_for_each_column() -> None:
    beside = (Published(runtimes=15, average_ms=1.09, saturation=0.8),)
    for whole in (report(), report(measured(), measured(runtimes=15), published=beside)):
        assert {len(cells(whole, size)) for size in whole.sizes} == {len(heads(whole))}
