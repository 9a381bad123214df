"""The benchmark's table and the notes below it: as they are, and where each figure stands."""

from __future__ import annotations

from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from farm.hardware.sensor_sampler import Drop
from farm.report.bottleneck_text import sentences
from farm.report.cells import heads
from farm.report.data import Published, Report
from farm.report.text_table import conditions as told
from farm.report.text_table import head, notes, row, what
from farm.system.terminal import UNLIMITED, wrapped
from tests.helpers import reports
from tests.helpers.figures import a_round, conditions, measured, report, subject

BESIDE = (Published(runtimes=15, average_ms=1.09, saturation=0.8),)


def table(whole: Report) -> list[str]:
    return [*head(whole), *(row(whole, size) for size in whole.sizes)]


@pytest.mark.parametrize(
    "whole", [reports.report(), reports.on_a_board()], ids=["simulated", "on a board"]
)
def test_the_table_and_its_notes(whole: Report, snapshot: SnapshotAssertion) -> None:
    assert "\n".join([*table(whole), "", *notes(whole, whole.sizes[-1])]) == snapshot


def test_a_row_has_the_medians_and_the_range_of_the_rounds() -> None:
    rounds = tuple(a_round(seconds=seconds, workers_cpu_ms=1.4) for seconds in (1.0, 1.2, 0.9))
    cells = row(report(), measured(rounds=rounds)).split("  ")
    assert [cell.strip() for cell in cells if cell] == [
        "3",
        "1.00 s",
        "50, 50, 50 %",
        "1.00 ms",
        "0.90-1.20",
        "1.50 ms",
    ]


def test_rows_that_are_printed_one_by_one_end_their_columns_below_each_other() -> None:
    full = a_round(seconds=99.0, saturation=(1.0, 1.0, 1.0), workers_cpu_ms=99.0)
    whole = report(measured(), measured(runtimes=15, rounds=(full,)))
    heads, rows = head(whole)[-1], [row(whole, size) for size in whole.sizes]
    names = ("execution time", "core saturation", "average per image", "range", "CPU per image")
    for end in (heads.index(name) + len(name) for name in names):
        for each in rows:
            assert each[end - 1] in "s%" or each[end - 1].isdigit()
            assert each[end : end + 2].strip() == ""


@pytest.mark.parametrize(
    "whole",
    [reports.report(), reports.on_a_board(), reports.report(cores=1, published=())],
    ids=["published", "on a board", "one core"],
)
def test_a_table_fits_into_80_columns_and_a_wide_one_has_all(whole: Report) -> None:
    wide = table(whole)
    narrow = [*head(whole, 80)[1:], *(row(whole, size, 80) for size in whole.sizes)]
    assert max(map(len, narrow)) <= 80
    assert {"runtimes", "average per image"} <= {name.strip() for name in narrow[4].split("  ")}
    assert len({len(line.rstrip()) for line in narrow[5:]}) == 1
    assert [heads(whole)[-1] in line for line in (wide[5], narrow[4])] == [
        True,
        bool(whole.published),
    ]
    assert max(map(len, wrapped(notes(whole, whole.sizes[-1]), 80))) <= 80


def test_names_of_images_that_do_not_fit_go_on_below_each_other() -> None:
    images = ("photos/of/a/long/name-1.jpg", "photos/of/a/long/name-2.jpg", "photos/3.jpg")
    whole, wide = (what(subject(images=images), width) for width in (60, UNLIMITED))
    assert len(wide) == 3
    assert whole[1:3] == [f"images  {images[0]}", f"        {images[1]} {images[2]}"]


def test_published_figures_stand_beside_their_size() -> None:
    both = report(measured(), measured(runtimes=15), published=BESIDE, published_source="somebody")
    assert [row(both, size).split("  ")[-1].strip() for size in both.sizes] == [
        "-",
        "1.09 ms at 80 %",
    ]
    assert len(head(both)[-1].split("  ")) > len(head(report())[-1].split("  "))


def test_memory_that_can_not_be_read_is_not_called_nothing() -> None:
    with_memory, without = (notes(report(), measured(worker_mb=mb)) for mb in ((24.0,), ()))
    assert len(with_memory) == len(without) + 1


def test_what_distorts_figures_stands_with_its_size() -> None:
    size = measured(left_out=(1, 2), losses=3, failures={"empty": 2, "damaged": 1})
    plain, said = notes(report(size), measured()), notes(report(measured()), measured())
    more = [line for line in plain if line not in said]
    assert [line.partition(": ")[0] for line in more] == ["3 runtimes"] * 3
    assert all(part in line for part, line in zip(("1, 2", "3", "3 of 1003"), more, strict=True))


def test_the_bottleneck_comes_last() -> None:
    whole = report()
    assert notes(whole, whole.sizes[0])[-2:] == ["", *sentences(whole)]


def sensors(**changes: Any) -> str:
    return told(conditions(**changes))[-1]


@pytest.mark.parametrize(
    ("changes", "figures"),
    [
        ({}, ("7",)),
        ({"load": (), "load_samples": 0, "no_load": "no permission"}, ("no permission",)),
        ({"hottest": ("soc-thermal", 71.6)}, ("72 °C", "soc-thermal")),
        ({"drops": ()}, ("no clock",)),
        (
            {
                "drops": (
                    Drop(clock="CPU 4-7", before=2400, after=1800, governor="ondemand"),
                    Drop(clock="NPU", before=1000, after=300, governor=None),
                )
            },
            ("CPU 4-7", "2400", "1800", "ondemand", "NPU", "1000", "300", "unknown"),
        ),
    ],
)
def test_what_the_sensors_reported_is_there(changes: dict[str, Any], figures: list[str]) -> None:
    assert all(figure in sensors(**changes) for figure in figures)
