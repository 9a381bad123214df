"""The benchmark that compares: everybody does the same work, and all that is told is written."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.helpers.programs import missing, run


def test_everybody_answers_alike_and_has_a_row(tmp_path: Path, renders: list[Path]) -> None:
    words = ["--images", "40", "--runs", "1", "--sizes", "2", "--folder", str(tmp_path)]
    pictures = ("--pictures", str(renders[0].parent))
    done = run(sys.executable, "-m", "tests.benchmarks", *words, *pictures)
    assert done.returncode == 0, done.stdout + done.stderr
    (file,) = tmp_path.glob("*.md")
    text = file.read_text()
    assert missing(("40 images", "72 pictures", "3 cores", "2.6 ms", "runs: 1"), text) == []
    rows = [row.split(" | ") for row in text.splitlines() if row.startswith("| ")]
    names = [row[0].removeprefix("| ") for row in rows[2:]]
    assert names[1:] == ["plain loop", "thread pool, 2", "farm, 2", "farm, 3, decoding free"]
    for row in rows[2:]:
        assert float(row[1]) > 0
        assert float(row[2]) > 0
        assert row[-1] == "0 |"  # wrong ones
    assert 0 < int(rows[5][3].rstrip("%")) <= 100


@pytest.mark.parametrize("module", ["tests.benchmarks.accuracy", "tests.benchmarks.__main__"])
def test_a_measurement_needs_no_test_runner(module: str) -> None:
    script = f"import sys; sys.modules['pytest'] = None; import {module}"
    assert run(sys.executable, "-c", script).stderr == ""
