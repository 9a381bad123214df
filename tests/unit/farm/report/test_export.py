"""A report as JSON and CSV: everything in it, and the same figures in both."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import fields
from typing import Any

from farm.report.bottleneck_text import sentences
from farm.report.data import Measured, Published, Report, Round, Span
from farm.report.export import as_csv, as_json
from tests.helpers.figures import a_round, conditions, measured, report, subject

ROUNDS = tuple(a_round(seconds=seconds) for seconds in (1.0, 1.2, 0.9))


def loaded(whole: Report) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(as_json(whole))
    return found


def rows(whole: Report) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(as_csv(whole), newline="")))


def test_json_holds_all_that_was_measured() -> None:
    whole = report(measured(rounds=ROUNDS))
    found = loaded(whole)
    assert set(found) == {field.name for field in fields(Report)} | {"bottleneck", "verdict"}
    (size,) = found["sizes"]
    assert {field.name for field in fields(Measured)} <= set(size)
    assert {field.name for field in fields(Round)} <= set(size["rounds"][0])
    assert found["machine"] == {"CPU": "a made-up one"}
    assert found["verdict"] == list(sentences(whole))
    assert found["bottleneck"]["kind"] == "nothing"
    assert found["bottleneck"]["advice"][0] == {"key": "size", "value": 6}
    assert found["bottleneck"]["shares"]["npu"] == found["bottleneck"]["share"] == 0.5
    assert found["simulated"] is True


def test_json_has_medians_ranges_and_named_percentiles() -> None:
    (size,) = loaded(report(measured(rounds=ROUNDS)))["sizes"]
    assert size["average_ms"] == {"median": 1.0, "lowest": 0.9, "highest": 1.2}
    assert [each["average_ms"] for each in size["rounds"]] == [1.0, 1.2, 0.9]
    assert size["cpu_ms"]["median"] == 1.5
    assert size["saturation"] == [0.5, 0.5, 0.5]
    assert size["percentiles"]["wait"] == {"p50": 1.0, "p90": 2.0, "p99": 3.0}
    assert size["memory_mb"] == 122.0


def test_json_has_spans_distribution_and_a_boards_conditions() -> None:
    span = Span(worker=1, phase="infer", start=500.0, end=502.61239)
    (size,) = loaded(report(measured(spans=(span,), conditions=conditions())))["sizes"]
    assert size["spans"] == [{"worker": 1, "phase": "infer", "start": 500.0, "end": 502.6124}]
    assert size["distribution"] == [[9.0, 400], [11.0, 600]]
    assert size["conditions"]["load_samples"] == 7


def test_published_figures_name_their_source_in_json_and_stand_apart_in_csv() -> None:
    beside = (Published(runtimes=15, average_ms=1.09, saturation=0.8),)
    whole = report(measured(), measured(runtimes=15), published=beside, published_source="somebody")
    assert loaded(whole)["published_source"] == "somebody"
    found = rows(whole)
    assert [row["published_average_ms"] for row in found] == ["", "1.09"]
    assert [row["published_saturation"] for row in found] == ["", "0.8"]


def test_csv_says_what_was_measured() -> None:
    (found,) = rows(report(subject=subject(images=("a b/", "c/"))))
    assert (found["model"], found["model_bytes"]) == ("/models/small.onnx", "95000")
    assert found["model_sha256"].startswith("0123456789abcdef")
    assert (found["images_named"], found["command"]) == ("'a b/' c/", subject().command)
    assert (found["config_name"], json.loads(found["config"])) == ("rk3588", subject().config)
    assert json.loads(found["machine"]) == {"CPU": "a made-up one"}


def test_csv_has_a_line_for_each_size_with_jsons_figures() -> None:
    whole = report(measured(rounds=ROUNDS), measured(runtimes=6))
    found, sizes = rows(whole), loaded(whole)["sizes"]
    assert [row["runtimes"] for row in found] == ["3", "6"]
    for row, size in zip(found, sizes, strict=True):
        assert row["simulated"] == "true"
        assert float(row["average_ms"]) == size["average_ms"]["median"]
        assert float(row["cpu_ms"]) == size["cpu_ms"]["median"]
        assert float(row["saturation_2"]) == size["saturation"][2]
        assert float(row["queue_p99_ms"]) == size["percentiles"]["queue"]["p99"]
        assert int(row["images"]) == sum(each["images"] for each in size["rounds"])
