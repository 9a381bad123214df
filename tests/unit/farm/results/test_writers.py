"""Results as readable lines, JSON lines and CSV, and files that can't be written."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest

from farm.errors import OutputError, WriterError
from farm.results.answer_format import AnswerFormat, format_of
from farm.results.result import Prediction, Result, Timings
from farm.results.writers import TextLines, open_writer
from farm.system.fd_writer import WriteDeadline
from tests.helpers import results
from tests.helpers.results import BUS, PERSON
from tests.helpers.terminals import ENV, open_terminal, read_to_end
from workers.protocol.messages import ItemError

CLASSIFY, DETECT, OWN = map(format_of, ("classify", "detect", "my.module:task"))
BEGIN, ANSWER = ["id", "path"], {
    CLASSIFY: [f"{what}{at}" for at in range(1, 6) for what in ("class", "label", "score")],
    DETECT: ["class", "label", "score", "left", "top", "right", "bottom",
             "image_width", "image_height"],
    OWN: ["output"],
}  # fmt: skip
END = [
    "error_kind",
    "error_message",
    "worker",
    "attempts",
    "queue_ms",
    "decode_ms",
    "wait_ms",
    "infer_ms",
    "total_ms",
    "simulated",
]
# What is no classifying may take its time.
END_OF_TASKS = [*END[:-2], "task_ms", *END[-2:]]
TOP5 = tuple(Prediction(at, f"label {at}", 0.5 / (at + 1)) for at in range(5))
TIMES = Timings(queue=12.34567, decode=3.0, wait=0.00049, infer=2.2, total=17.5462, task=4.5)
NOT_UTF8 = os.fsdecode(b"/caf\xe9/\xff.jpg")


def result(**changes: Any) -> Result:
    return results.result(**{"path": "/photos/a.jpg", "top5": TOP5, "ms": TIMES, **changes})


def failed(**changes: Any) -> Result:
    error = ItemError("missing", "no such file")
    return result(**{"top5": None, "error": error, "attempts": 3, **changes})


def written(path: Path, *results: Result, answers: AnswerFormat = CLASSIFY) -> str:
    with open_writer(path, False, answers, WriteDeadline()) as writer:
        for each in results:
            writer.write(each, 0.0)
    return path.read_text(encoding="utf-8")


def json_of(folder: Path, *results: Result, answers: AnswerFormat = CLASSIFY) -> list[Any]:
    lines = written(folder / "r.jsonl", *results, answers=answers).splitlines()
    return [json.loads(line) for line in lines]


def csv_of(
    folder: Path, *results: Result, answers: AnswerFormat = CLASSIFY
) -> list[dict[str, str]]:
    table = written(folder / "r.csv", *results, answers=answers)
    rows, head = list(csv.reader(io.StringIO(table))), [*BEGIN, *ANSWER[answers]]
    head += END if answers is CLASSIFY else END_OF_TASKS
    assert rows[0] == head
    return [dict(zip(head, row, strict=True)) for row in rows[1:]]


def test_a_json_line_is_the_documented_object(tmp_path: Path) -> None:
    (found,) = json_of(tmp_path, result())
    assert found == {
        "id": 7,
        "path": "/photos/a.jpg",
        "top5": [
            {"class": 0, "label": "label 0", "score": 0.5},
            {"class": 1, "label": "label 1", "score": 0.25},
            {"class": 2, "label": "label 2", "score": 0.166667},
            {"class": 3, "label": "label 3", "score": 0.125},
            {"class": 4, "label": "label 4", "score": 0.1},
        ],
        "error": None,
        "worker": 2,
        "attempts": 1,
        "ms": {"queue": 12.346, "decode": 3.0, "wait": 0.0, "infer": 2.2, "total": 17.546},
        "simulated": False,
    }


def test_the_keys_of_a_json_line_have_a_fixed_order(tmp_path: Path) -> None:
    (found,) = json_of(tmp_path, result())
    keys = ["id", "path", "top5", "error", "worker", "attempts", "ms", "simulated"]
    assert list(found) == keys
    assert list(found["ms"]) == ["queue", "decode", "wait", "infer", "total"]


def test_a_json_line_of_an_error_has_a_kind_and_a_message(tmp_path: Path) -> None:
    (found,) = json_of(tmp_path, failed())
    assert found["top5"] is None
    assert found["error"] == {"kind": "missing", "message": "no such file"}
    assert found["attempts"] == 3


def test_json_has_nulls_for_what_is_not_known(tmp_path: Path) -> None:
    one = (Prediction(3, None, 1.0),)
    (found,) = json_of(tmp_path, result(path=None, top5=one, simulated=True))
    assert (found["path"], found["simulated"]) == (None, True)
    assert found["top5"] == [{"class": 3, "label": None, "score": 1.0}]


def test_each_result_is_one_json_line_in_their_order(tmp_path: Path) -> None:
    message = ItemError("not_an_image", "two\nlines")
    results = (result(id=3), failed(id=1, error=message), result(id=2, path="/new\nline.jpg"))
    assert [found["id"] for found in json_of(tmp_path, *results)] == [3, 1, 2]


def test_a_path_that_is_not_utf8_survives_json(tmp_path: Path) -> None:
    (found,) = json_of(tmp_path, result(path=NOT_UTF8))
    assert os.fsencode(found["path"]) == b"/caf\xe9/\xff.jpg"


def test_a_csv_row_has_a_cell_for_each_head(tmp_path: Path) -> None:
    (row,) = csv_of(tmp_path, result())
    assert {key: row[key] for key in ("id", "path", "worker", "attempts", "simulated")} == {
        "id": "7",
        "path": "/photos/a.jpg",
        "worker": "2",
        "attempts": "1",
        "simulated": "false",
    }
    assert [row[f"class{rank}"] for rank in range(1, 6)] == ["0", "1", "2", "3", "4"]
    assert [row["label1"], row["label5"]] == ["label 0", "label 4"]
    assert [float(row["score1"]), float(row["score3"])] == [0.5, pytest.approx(1 / 6, abs=1e-6)]
    assert [row["error_kind"], row["error_message"]] == ["", ""]
    assert [row["queue_ms"], row["infer_ms"], row["total_ms"]] == ["12.346", "2.200", "17.546"]


def test_a_csv_row_of_an_error_has_no_classes(tmp_path: Path) -> None:
    (row,) = csv_of(tmp_path, failed())
    assert [row["error_kind"], row["error_message"]] == ["missing", "no such file"]
    assert {row[key] for key in ANSWER[CLASSIFY]} == {""}
    assert (row["worker"], row["attempts"]) == ("2", "3")


@pytest.mark.parametrize("classes", [1, 2, 4])
def test_a_csv_row_of_few_classes_is_as_wide_as_all(tmp_path: Path, classes: int) -> None:
    (row,) = csv_of(tmp_path, result(top5=TOP5[:classes]))
    assert row[f"class{classes}"] == f"{classes - 1}"
    assert (row[f"class{classes + 1}"], row["score5"], row["error_kind"]) == ("", "", "")
    assert row["worker"] == "2"


TIMES_AND_WORKER = {"worker": "2", "attempts": "1", "infer_ms": "2.200", "simulated": "false"}


def test_a_csv_of_a_detector_has_a_row_for_each_object(tmp_path: Path) -> None:
    found = results.detected(BUS, PERSON, path="/two.jpg", ms=TIMES)
    empty = results.detected(id=8, path="/none.jpg", ms=TIMES)
    bad = failed(id=9)
    rows = csv_of(tmp_path, found, empty, bad, answers=DETECT)
    keys = ("id", "path", "label", "right", "image_width", "error_kind")
    assert [tuple(row[key] for key in keys) for row in rows] == [
        ("7", "/two.jpg", "bus", "30.50", "640", ""),
        ("7", "/two.jpg", "person", "10.00", "640", ""),
        ("8", "/none.jpg", "", "", "640", ""),
        ("9", "/photos/a.jpg", "", "", "", "missing"),
    ]
    assert [row for row in rows[:3] if not TIMES_AND_WORKER.items() <= row.items()] == []


def test_a_csv_of_an_own_task_has_its_output_as_json(tmp_path: Path) -> None:
    plate = result(top5=None, output={"plate": 'A "1", B', "score": float("nan"), "crop": b"\xff"})
    good, bad = csv_of(tmp_path, plate, failed(), answers=OWN)
    assert json.loads(good["output"]) == {"plate": 'A "1", B', "score": None, "crop": "/w=="}
    assert (good["worker"], bad["output"], bad["error_kind"]) == ("2", "", "missing")


@pytest.mark.parametrize(
    ("answers", "changes", "found"),
    [
        (DETECT, {"objects": (), "size": (640, 480)}, {"objects": [], "size": [640, 480]}),
        (OWN, {"output": {"n": [1, 2]}}, {"output": {"n": [1, 2]}}),
    ],
)
def test_a_json_line_of_another_task_has_its_answer_in_place_of_top5(
    tmp_path: Path, answers: AnswerFormat, changes: dict[str, Any], found: dict[str, Any]
) -> None:
    (line,) = json_of(tmp_path, result(top5=None, **changes), answers=answers)
    rest = ["error", "worker", "attempts", "ms", "simulated"]
    assert list(line) == ["id", "path", *found, *rest]
    assert found.items() <= line.items()


def test_csv_quotes_what_would_break_its_rows(tmp_path: Path) -> None:
    path, label = '/a,"b" größe 猫.jpg', "tench, Tinca tinca"
    message = ItemError("not_an_image", "two\nlines, really")
    top5 = (Prediction(0, label, 1.0),)
    good, bad = csv_of(tmp_path, result(path=path, top5=top5), failed(error=message))
    assert (good["path"], good["label1"]) == (path, label)
    assert bad["error_message"] == "two\nlines, really"


def test_csv_has_empty_cells_for_what_is_not_known(tmp_path: Path) -> None:
    top5 = (Prediction(0, None, 1.0),)
    (row,) = csv_of(tmp_path, result(path=None, top5=top5, simulated=True))
    assert (row["path"], row["label1"], row["simulated"]) == ("", "", "true")


def test_a_path_that_is_not_utf8_does_not_stop_csv(tmp_path: Path) -> None:
    (row,) = csv_of(tmp_path, result(path=NOT_UTF8))
    assert row["path"] == "/caf?/?.jpg"


def test_a_reason_that_is_not_utf8_does_not_stop_csv(tmp_path: Path) -> None:
    (row,) = csv_of(tmp_path, failed(error=ItemError("task_failed", f"no {NOT_UTF8}")))
    assert row["error_message"] == "no /caf?/?.jpg"


def test_a_csv_without_results_is_its_head(tmp_path: Path) -> None:
    assert csv_of(tmp_path) == []


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_a_file_that_is_there_is_replaced(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"r{suffix}"
    path.write_text("old\n" * 1000)
    assert "old" not in written(path, result())


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_what_was_written_stays_when_the_run_fails(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"r{suffix}"

    def fail_after_one() -> None:
        with open_writer(path, False, CLASSIFY, WriteDeadline()) as writer:
            writer.write(result(), 0.0)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail_after_one()
    assert "/photos/a.jpg" in path.read_text()


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_a_result_is_in_the_file_as_soon_as_it_is_written(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"r{suffix}"
    with open_writer(path, False, CLASSIFY, WriteDeadline()) as writer:
        writer.write(result(path="/first.jpg"), 0.0)
        assert "/first.jpg" in path.read_text()


@pytest.mark.parametrize("name", ["r.json", "r.txt", "r", ".csv", "r.csv.gz", "r.JSONL"])
def test_another_suffix_is_refused_and_nothing_is_made(tmp_path: Path, name: str) -> None:
    with (
        pytest.raises(OutputError, match=r"must end in \.jsonl or \.csv"),
        open_writer(tmp_path / name, False, CLASSIFY, WriteDeadline()),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["gone/r.jsonl", "file/r.jsonl", "folder.jsonl", "gone/r.csv", "r" * 255 + ".csv"]
)
def test_a_file_that_can_not_be_made_is_refused_by_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder.jsonl").mkdir()
    with (
        pytest.raises(OutputError, match=r"^--output ") as caught,
        open_writer(tmp_path / name, False, CLASSIFY, WriteDeadline()),
    ):
        pass
    assert f"--output {tmp_path / name}: " in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write into folders of mode 500")
def test_a_folder_that_may_not_be_written_to_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with (
        pytest.raises(OutputError),
        open_writer(tmp_path / "r.jsonl", False, CLASSIFY, WriteDeadline()),
    ):
        pass


@pytest.mark.parametrize(
    ("name", "count"),
    [("x.jsonl", 1), ("x.jsonl", 500), ("x.csv", 0), ("x.csv", 1), ("x.csv", 500)],
)
def test_a_full_disk_is_a_writer_error(tmp_path: Path, name: str, count: int) -> None:
    path = tmp_path / name
    path.symlink_to("/dev/full")
    with pytest.raises(WriterError, match="No space left on device") as caught:
        written(path, *[result()] * count)
    assert f"--output {path}: " in str(caught.value)


def test_without_a_file_results_are_lines_on_standard_output(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with open_writer(None, False, CLASSIFY, WriteDeadline()) as writer:
        writer.write(result(), 0.0)
        writer.write(failed(), 0.0)
    first, second = capfd.readouterr().out.splitlines()
    assert first.startswith("/photos/a.jpg: label 0 50.0 %, ")
    assert second == "/photos/a.jpg: error: missing: no such file"


def test_on_a_terminal_the_error_of_a_line_is_red(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENV.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)
    with open_terminal() as (here, there):
        with os.fdopen(there, "w") as screen:
            lines = TextLines(screen, CLASSIFY, WriteDeadline())
            lines.write(failed(), 0.0)
        (line,) = read_to_end(here).splitlines()
    assert line == "/photos/a.jpg: \x1b[31merror: missing: no such file\x1b[0m"


def test_a_narrow_terminal_gets_lines_that_fit() -> None:
    with open_terminal(columns=60) as (here, there):
        with os.fdopen(there, "w") as screen:
            TextLines(screen, CLASSIFY, WriteDeadline()).write(result(), 0.0)
        (line,) = read_to_end(here).splitlines()
    assert line == "/photos/a.jpg: label 0 50.0 %, label 1 25.0 %"


def test_quiet_writes_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with open_writer(None, True, CLASSIFY, WriteDeadline()) as writer:
        writer.write(result(), 0.0)
    assert capfd.readouterr() == ("", "")


def test_a_full_disk_behind_standard_output_is_a_writer_error() -> None:
    with (
        open("/dev/full", "w") as full,
        pytest.raises(WriterError, match=r"standard output: .*No space"),
    ):
        TextLines(full, CLASSIFY, WriteDeadline()).write(result(), 0.0)
