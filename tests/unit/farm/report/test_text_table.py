"""The benchmark's table: what the field publishes, and what one must know about it."""

from __future__ import annotations

from typing import Any

from farm.hardware.sensor_sampler import Drop
from farm.report.bottleneck_text import sentences
from farm.report.data import Published
from farm.report.text_table import conditions as told
from farm.report.text_table import head, notes, row
from tests.helpers.figures import a_round, conditions, measured, report


def test_a_row_has_the_medians_and_the_range_of_the_rounds() -> None:
    rounds = tuple(a_round(seconds=seconds, workers_cpu_ms=1.4) for seconds in (1.0, 1.2, 0.9))
    size = measured(rounds=rounds)
    lines = [*head(report(size)), row(report(size), size)]
    assert lines[0] == (
        "rk3588, SIMULATED NPU of 3 cores at 1.5 ms per inference, 100 images 10 times a round"
    )
    assert lines[2].split("  ")[:4] == [
        "runtimes", "execution time", "core saturation", "average per image"
    ]  # fmt: skip
    assert lines[3].split() == ["3", "1.00s", "50%", "50%", "50%", "1.00ms", "0.90-1.20", "1.50ms"]


def test_rows_that_are_printed_one_by_one_end_their_columns_below_each_other() -> None:
    full = a_round(seconds=99.0, saturation=(1.0, 1.0, 1.0), workers_cpu_ms=99.0)
    two = report(measured(), measured(runtimes=15, rounds=(full,)))
    heads, *rows = (head(two)[-1], *(row(two, size) for size in two.sizes))
    for name in (
        "execution time",
        "core saturation",
        "average per image",
        "range",
        "CPU per image",
    ):
        end = heads.index(name) + len(name)
        for each in rows:
            assert each[end - 1] in "s%" or each[end - 1].isdigit()
            assert each[end : end + 2].strip() == ""


def test_published_figures_stand_beside_their_size_and_are_said_to_be_others() -> None:
    beside = (Published(runtimes=15, average_ms=1.09, saturation=0.8),)
    both = report(measured(), measured(runtimes=15), published=beside, published_source="somebody")
    assert row(both, both.sizes[0]).split()[-1] == "-"
    assert row(both, both.sizes[1]).endswith("1.09ms at 80%")
    said = notes(both, both.sizes[0])
    assert said[1:3] == ["published: somebody;", "another model, other images than here"]


def test_without_published_figures_there_is_no_column_for_them() -> None:
    assert "published" not in " ".join([*head(report()), *notes(report(), measured())])


def test_the_phases_of_an_image_the_costs_and_the_start_are_told() -> None:
    said = "\n".join(notes(report(), measured()))
    assert "queue          1.00  2.00  3.00  until its decoding begins" in said
    assert "CPU per image: coordinator 0.10 ms, workers 1.40 ms" in said
    assert "122 MB: coordinator 40 MB, each worker 24 MB, other processes 10 MB" in said
    assert "start: 0.50 s until all workers were up" in said


def test_memory_that_is_not_told_is_not_called_nothing() -> None:
    assert "memory" not in "\n".join(notes(report(), measured(worker_mb=())))


def test_what_makes_figures_others_than_they_should_be_is_told_with_its_size() -> None:
    size = measured(left_out=(1, 2), losses=3, failures={"empty": 2, "damaged": 1})
    said = notes(report(size), size)
    assert "3 runtimes: NPU cores LEFT OUT: 1, 2; these are figures of the others" in said
    assert (
        "3 runtimes: workers lost: 3; the figures include that, but not the CPU time of those"
    ) in said
    assert "3 runtimes: 3 of 1003 images failed: 1 damaged, 2 empty" in said


def test_the_bottleneck_comes_last() -> None:
    whole = report()
    assert notes(whole, whole.sizes[0])[-2:] == ["", *sentences(whole)]


def sensors(**changes: Any) -> list[str]:
    return told(conditions(**changes))


def test_how_many_samples_the_load_is_of_is_told_or_why_there_is_none() -> None:
    assert sensors() == ["the NPU load is the mean of 7 samples"]
    assert sensors(load=(), load_samples=0, no_load="no permission") == ["no permission"]


def test_the_highest_temperature_is_told_with_its_zone() -> None:
    assert sensors(hottest=("soc-thermal", 71.6))[-1] == "highest temperature: 72 °C in soc-thermal"


def test_clocks_that_hold_are_said_to() -> None:
    assert sensors(drops=())[-1] == "no clock dropped"


def test_clocks_that_dropped_are_told_with_what_governs_them() -> None:
    cpu = Drop(clock="CPU 4-7", before=2400, after=1800, governor="ondemand")
    npu = Drop(clock="NPU", before=1000, after=300, governor=None)
    assert sensors(drops=(cpu, npu))[-1] == (
        "clocks: CPU 4-7 dropped from 2400 to 1800 MHz (governor ondemand), "
        "NPU dropped from 1000 to 300 MHz (governor unknown)"
    )
