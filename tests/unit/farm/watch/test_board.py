from __future__ import annotations

from pathlib import Path

import pytest

from farm.watch.board import BoardReader


def test_the_load_of_each_cpu_is_its_share_of_the_time_since_the_last_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("farm.system.cpu_time.TICKS_PER_SECOND", 100)
    stat = tmp_path / "proc/stat"
    stat.parent.mkdir()
    stat.write_text("cpu0 100 0 0 900 0 0 0 0 0 0\ncpu3 0 0 0 9 0 0 0 0 0 0\n")
    reader = BoardReader(tmp_path)
    assert reader.read(9.0).cpu_load == {}
    reader.mark(10.0)
    stat.write_text("cpu0 150 0 0 950 0 0 0 0 0 0\ncpu3 300 0 0 9 0 0 0 0 0 0\n")
    assert reader.read(12.0).cpu_load == {0: 0.25, 3: 1.0}


def test_a_machine_without_an_npu_says_why_it_has_no_load(tmp_path: Path) -> None:
    board = BoardReader(tmp_path).read(1.0)
    assert board.npu_load is None
    assert "rknpu" in (board.no_npu_load or "")
    assert (board.soc, board.temperatures, board.cpu_load) == (None, {}, {})
