"""The benchmark that compares: everybody does the same work, and all that is told is written."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.benchmarks.contest import Figures, Images
from tests.benchmarks.detect import CLASSES, OBJECTS, SIZE, scene
from tests.benchmarks.npu import Npu
from tests.benchmarks.record import section
from tests.helpers.heads import HEADS, encode, option
from tests.helpers.programs import missing, run
from workers.tasks.detect import decode

RUNS = ((2.0, 0.01), (9.0, 0.2))  # ms per image, the share of other programs


def test_everybody_answers_alike_and_has_a_row(tmp_path: Path, renders: list[Path]) -> None:
    words = ["--images", "40", "--runs", "2", "--pools", "2", "--farms", "1,2", "--npu", "2x1.5"]
    where = ("--pictures", str(renders[0].parent), "--folder", str(tmp_path))
    done = run(sys.executable, "-m", "tests.benchmarks", *words, *where)
    assert done.returncode == 0, done.stdout + done.stderr
    (file,) = tmp_path.glob("*.md")
    text = file.read_text()
    facts = ("40 images", "72 pictures", "SIMULATED", "2 cores at 1.5 ms", "0.75 ms with 2 or more")
    assert missing(facts, text) == []
    rows = [row.split(" | ") for row in text.splitlines() if row.startswith("| ")]
    heads, names = rows[0], [row[0].removeprefix("| ") for row in rows[2:]]
    loops = len(os.sched_getaffinity(0))
    assert names == [
        "plain loop",
        f"OpenCV's decoding alone, {loops} loops",
        f"our decoding alone, {loops} loops",
        "thread pool, 2",
        "farm, 1",
        "farm, 2",
        "farm, 3, decoding free",
    ]
    for row in rows[2:]:
        assert float(row[1].split()[0]) > 0
        assert float(row[heads.index("CPU ms per image")].split()[0]) > 0
        assert row[-1] == "0 |"  # wrong ones
    for row in rows[-3:-1]:
        assert float(row[heads.index("of the NPU's limit")].split()[0]) > 1
        assert float(row[heads.index("3 images, CPU s")].split()[0]) > 0
        assert 0 < int(row[heads.index("NPU busy")].split()[0].rstrip("%")) <= 100


def test_a_run_beside_other_programs_does_not_count() -> None:
    images = Images(what="pictures", paths=("a.jpg",), count=8, npu=Npu.parse("3x2.6"))
    quiet, busy = ({"farm, 1": Figures(ms=ms, cpu_ms=1.0, foreign=share)} for ms, share in RUNS)
    text = section([quiet, busy, quiet], images, {})
    assert "| farm, 1 | 2.00 |" in text
    assert missing(("runs: 2", "1 more had foreign load over 5%"), text) == []
    assert "all had foreign load" in section([busy], images, {})


def test_every_family_of_detectors_has_a_row() -> None:
    done = run(sys.executable, "-m", "tests.benchmarks.detect", "--rounds", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [row.split(" | ") for row in done.stdout.splitlines() if row.startswith("| ")][1:]
    assert [row[0].removeprefix("| ") for row in rows] == list(HEADS)
    assert all(float(row[2]) > 0 for row in rows)


@pytest.mark.parametrize("family", HEADS)
def test_what_is_measured_finds_every_object(family: str) -> None:
    outputs = encode(family, scene(), SIZE, CLASSES)
    _, classes, _ = decode(outputs, SIZE, family=option(family))
    assert sorted(set(classes.tolist())) == sorted({each.class_id for each in scene()})
    assert len(classes) == (len(scene()) if family in ("yolov10", "e2e") else OBJECTS)


@pytest.mark.parametrize(
    "module",
    ["tests.benchmarks.accuracy", "tests.benchmarks.detect", "tests.benchmarks.__main__"],
)
def test_a_measurement_needs_no_test_runner(module: str) -> None:
    script = f"import sys; sys.modules['pytest'] = None; import {module}"
    assert run(sys.executable, "-c", script).stderr == ""
