from __future__ import annotations

import os
from pathlib import Path

from farm.system.cpu_time import busy_by_cpu, busy_seconds


def test_idle_and_guest_time_is_not_busy(tmp_path: Path) -> None:
    (tmp_path / "stat").write_text(
        "cpu  9 9 9 9 9 9 9 9 9 9\ncpu0 100 10 50 900 40 1 2 7 100 10\ncpu1 30 0 0 0 0 0 0 0 0 0\n"
        "cpu11 5 0 0 0 0 0 0 0 0 0\nintr 1 2\n"
    )
    second = os.sysconf("SC_CLK_TCK")
    assert busy_seconds([0], tmp_path) == 170 / second
    assert busy_seconds([0, 1], tmp_path) == 200 / second
    assert busy_seconds([0, 2], tmp_path) is None


def test_a_kernel_that_shows_no_cpu_times_has_none(tmp_path: Path) -> None:
    assert busy_seconds([0], tmp_path) is None
    assert busy_by_cpu(tmp_path) == {}
