"""What a results file holds: read back, torn at any byte, or somebody else's."""

from __future__ import annotations

import json
import os
import tracemalloc
from array import array
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.config.labels import LONGEST_NAME
from farm.errors import OutputError
from farm.results.answer_format import format_of
from farm.results.result import DetectedObject, from_delivery
from farm.results.resume_index import LONGEST_LINE, ResumeIndex, digest, parse, read
from farm.results.writers import as_dict
from farm.scheduler.events import Deliver, Job
from farm.sources.base import path_ref
from tests.helpers.results import result
from tests.helpers.support import outcome
from workers.protocol.messages import LARGEST_OUTPUT, FileRef, Item, ItemError, Output, Ranked

PATHS = (b"/a.jpg", b"/b.jpg", "/größe 猫.jpg".encode(), b"/caf\xe9/\xff.jpg", b'/"\n\\.jpg')


def row(number: int = 0, path: bytes = b"/a.jpg", **changes: Any) -> bytes:
    values = {"id": number, "path": os.fsdecode(path), "top5": None, "error": None, **changes}
    return json.dumps(values).encode() + b"\n"


def file_of(folder: Path, *lines: bytes) -> Path:
    path = folder / "r.jsonl"
    path.write_bytes(b"".join(lines))
    return path


def test_a_file_that_is_not_there_is_an_empty_one(tmp_path: Path) -> None:
    found = read(tmp_path / "r.jsonl", "top5")
    assert (found.next_id, found.whole, found.torn) == (0, 0, 0)
    assert not found.skip(b"/a.jpg")


@pytest.mark.parametrize("path", PATHS)
def test_a_path_is_skipped_whatever_is_in_it(tmp_path: Path, path: bytes) -> None:
    found = read(file_of(tmp_path, row(0, path)), "top5")
    assert not found.skip(path + b"x")
    assert found.skip(path)
    assert not found.skip(path)
    assert found.skipped == 1


@given(st.lists(st.sampled_from(PATHS)), st.lists(st.sampled_from(PATHS)))
def test_each_line_stands_for_one_occurrence(done: list[bytes], wanted: list[bytes]) -> None:
    found = ResumeIndex(array("Q", sorted(map(digest, done))))
    left = Counter(path for path in wanted if not found.skip(path))
    assert left == Counter(wanted) - Counter(done)


@given(st.binary(max_size=9), st.integers(0, 9000), st.text(max_size=5))
def test_each_line_that_a_run_writes_is_read_again(name: bytes, more: int, label: str) -> None:
    ref = path_ref(name + b"\xff" * more)
    job = Job(Item(7, ref), submitted=1.0)
    ended = Deliver(job, 0, outcome(7, answer=Ranked(((0, 0.5), (9, 0.25)))))
    found = from_delivery(ended, (label,), simulated=False, now=2.0)
    line = json.dumps(as_dict(found, format_of("classify"))).encode() + b"\n"
    assert isinstance(ref, FileRef)
    assert len(line) < LONGEST_LINE
    assert parse(line) == (7, ref.path, "top5", None)


TASKS = {"classify": "top5", "detect": "objects", "my.module:task": "output"}


@pytest.mark.parametrize(("task", "key"), TASKS.items())
@pytest.mark.parametrize("ok", [True, False], ids=["answers", "errors"])
def test_a_file_is_gone_on_with_by_the_kind_of_task_that_began_it(
    tmp_path: Path, task: str, key: str, ok: bool
) -> None:
    """Lines of errors tell the task, too."""
    answers = format_of(task)
    each = {"top5": (), "objects": (), "size": (1, 1)} if ok else {}
    error = None if ok else ItemError("missing", "no such file")
    line = json.dumps(as_dict(result(error=error, **each), answers)).encode() + b"\n"
    path = file_of(tmp_path, line)
    assert read(path, key).skip(b"/a.jpg")
    for other in {*TASKS.values()} - {key}:
        with pytest.raises(OutputError, match=f"line 1 is of another task: .*'{key}'.*'{other}'"):
            read(path, other)
    assert path.read_bytes() == line


def test_the_longest_line_that_a_run_can_write_is_read_again(tmp_path: Path) -> None:
    """1000 objects, a path and labels as long as can be, of characters that JSON writes longest."""
    name = b"\xff" * 4095
    worst = DetectedObject(999_999, "\U0001f600" * LONGEST_NAME, 1 / 3, (1e4 + 1 / 3,) * 4)
    found = result(
        id=2**53 - 1, path=os.fsdecode(name), objects=(worst,) * 1000, size=(99_999, 99_999)
    )
    line = json.dumps(as_dict(found, format_of("detect"))).encode() + b"\n"
    path = file_of(tmp_path, line, line[:-1])
    del found
    tracemalloc.start()
    index = read(path, "objects")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (index.whole, index.torn) == (len(line), len(line) - 1)
    assert index.skip(name)
    assert peak < 8 * LONGEST_LINE


@pytest.mark.parametrize("packed", [b"\xc2", b"\x81\xc2\xc2", b"\xa1\x01", b"\x81\xe0\xc2"])
def test_the_longest_output_of_an_own_task_is_read_again(packed: bytes) -> None:
    """What JSON makes longest of its bytes: `false`, maps of it, control characters."""
    count = LARGEST_OUTPUT // len(packed) - 9
    output = Output(b"\xdd" + count.to_bytes(4, "big") + packed * count).value()
    line = json.dumps(as_dict(result(output=output), format_of("a:b"))).encode() + b"\n"
    assert LARGEST_OUTPUT < len(line) < LONGEST_LINE
    assert parse(line) == (7, b"/a.jpg", "output", None)


def test_ids_go_on_above_the_highest(tmp_path: Path) -> None:
    assert read(file_of(tmp_path, row(7), row(41), row(3)), "top5").next_id == 42


def test_a_file_torn_at_any_byte_keeps_its_whole_lines(tmp_path: Path) -> None:
    lines = [row(number, path) for number, path in enumerate(PATHS)]
    data = b"".join(lines)
    for end in range(len(data) + 1):
        whole = data[:end].rpartition(b"\n")
        found = read(file_of(tmp_path, data[:end]), "top5")
        assert found.whole == len(whole[0] + whole[1])
        assert found.torn == len(whole[2])
        assert [found.skip(path) for path in PATHS].count(True) == data[:end].count(b"\n")


@pytest.mark.parametrize("rest", [b"\0" * 5000, row(1)[:30] + b"\0" * 5000])
def test_a_power_cut_may_leave_zeros(tmp_path: Path, rest: bytes) -> None:
    found = read(file_of(tmp_path, row(0), rest), "top5")
    assert (found.whole, found.torn) == (len(row(0)), len(rest))


@pytest.mark.parametrize("zeros", [2 << 20, 3_000_001])
def test_many_zeros_are_torn_off_whole(tmp_path: Path, zeros: int) -> None:
    assert read(file_of(tmp_path, row(0), b"\0" * zeros), "top5").torn == zeros


STRANGE = {
    "not JSON": b"rubbish\n",
    "no object": b"[1, 2]\n",
    "empty": b"\n",
    "another object": b'{"a": 1}\n',
    "no answer": b'{"id": 0, "path": "/a.jpg", "error": null}\n',
    "answers of two tasks": row(output=None),
    "no path": row(0)[:-1].replace(b'"/a.jpg"', b"null") + b"\n",
    "a path that is none": row(0).replace(b'"/a.jpg"', b'"\\ud800"'),
    "an id below zero": row(-1),
    "an id that is too large": row(2**53),
    "an id that is no number": row(0, id=True),
    "a run that stands for all": row(0, run="*"),
    "a run that is a path": row(0, run="../../x"),
    "a run that is no text": row(0, run=7),
    "a torn line in the middle": row(0)[:40] + b"\n",
    "zeros in the middle": b"\0" * 100 + b"\n",
    "too deep": b"[" * 100_000 + b"\n",
    "not UTF-8": b"\xff\xfe\n",
}


@pytest.mark.parametrize("line", STRANGE.values(), ids=STRANGE.keys())
def test_a_line_that_is_no_result_is_named(tmp_path: Path, line: bytes) -> None:
    path = file_of(tmp_path, row(0), line, row(1))
    with pytest.raises(OutputError, match="line 2 is no result of npu-farm"):
        read(path, "top5")
    assert path.read_bytes() == row(0) + line + row(1)


@pytest.mark.parametrize(
    "end",
    [
        b"notes of mine",
        b'{"a": 1}',
        b"x" * (2 << 20),
        b"\0" * (2 << 20) + row(1),
        row(1)[:20] + b"x" * (2 << 20) + b"\n",
    ],
    ids=["words", "JSON", "long", "zeros before a result", "long before an end"],
)
def test_an_end_that_is_not_ours_is_not_torn_off(tmp_path: Path, end: bytes) -> None:
    with pytest.raises(OutputError, match="line 2 is no result"):
        read(file_of(tmp_path, row(0), end), "top5")


def test_lines_may_have_been_written_anew_by_other_programs(tmp_path: Path) -> None:
    compact = json.dumps(json.loads(row(5)), separators=(",", ":")).encode() + b"\n"
    assert parse(compact) == (5, b"/a.jpg", "top5", None)
    assert read(file_of(tmp_path, compact), "top5").skip(b"/a.jpg")


@pytest.mark.parametrize("what", ["folder", "pipe"])
def test_what_is_no_file_can_not_be_gone_on_with(tmp_path: Path, what: str) -> None:
    path = tmp_path / "r.jsonl"
    if what == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)
    with pytest.raises(OutputError, match="is no regular file"):
        read(path, "top5")


def test_a_long_file_takes_little_memory(tmp_path: Path) -> None:
    lines = 20_000
    path = file_of(tmp_path, *(row(number, b"/%d.jpg" % number) for number in range(lines)))
    tracemalloc.start()
    found = read(path, "top5")
    taken, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.skip(b"/7.jpg")
    assert taken < 14 * lines
    assert peak < 32 * lines
