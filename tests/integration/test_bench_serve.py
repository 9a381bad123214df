"""The benchmarks of the service and of snapshots: few images, every row, no figure asserted."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.helpers.programs import missing, run


@pytest.mark.skipif(shutil.which("wrk") is None, reason="no wrk here: apt install wrk")
def test_the_service_is_measured_beside_a_run(renders: list[Path]) -> None:
    words = ("--rounds", "1", "--seconds", "1", "--npu", "3x1", "--connections", "1,4")
    where = ("--pictures", str(renders[0].parent))
    done = run(sys.executable, "-m", "tests.benchmarks.serve", *words, *where)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [row.split(" | ") for row in done.stdout.splitlines() if row.startswith("| ")]
    assert [row[0] for row in rows[2:]] == ["| 1", "| 4"]
    assert all(float(row[1].split()[0]) > 0 for row in rows[2:])
    assert (
        missing(("simulated NPU of 3 x 1.0 ms", "Memory", "Twice that", "0 wrong"), done.stdout)
        == []
    )


def test_runs_with_and_without_viewers_are_measured_in_turns() -> None:
    words = ("--rounds", "2", "--images", "100", "--npu", "3x1")
    done = run(sys.executable, "-m", "tests.benchmarks.snapshots", *words)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [row.split(" | ") for row in done.stdout.splitlines() if row.startswith("| ")]
    assert [row[0] for row in rows[2:]] == [
        "| nobody",
        "| 10 viewers",
        "| a viewer that never reads",
    ]
    assert all(float(row[1].split()[0]) > 0 for row in rows[2:])
