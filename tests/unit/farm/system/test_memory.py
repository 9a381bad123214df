from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from farm.system import memory


def test_it_is_as_psutil_says() -> None:
    total = psutil.virtual_memory().total / 2**20
    assert memory.total_mb() == total
    assert 0 < memory.available_mb() < total
    assert memory.is_shown()


def test_without_proc_it_is_as_the_kernel_tells_the_c_library(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    total = memory.total_mb()
    monkeypatch.setattr(memory, "PROC", tmp_path)
    assert memory.total_mb() == pytest.approx(total, rel=0.1)
    assert 0 < memory.available_mb() < total
    assert not memory.is_shown()
