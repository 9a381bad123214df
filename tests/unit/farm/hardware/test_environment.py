"""The facts about the machine that figures are from."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import pytest

from farm.hardware import environment
from farm.hardware.environment import facts
from workers.images.area import choose


def test_versions_kernel_and_date_are_known() -> None:
    found = facts()
    assert {"npu-farm", "numpy", "opencv-python-headless", "pyzmq", "kernel", "Python"} <= set(
        found
    )
    assert datetime.fromisoformat(found["date"]).tzinfo is not None


def test_a_pc_has_a_processor_and_a_board_its_name(tmp_path: Path) -> None:
    (tmp_path / "proc" / "device-tree").mkdir(parents=True)
    cpuinfo = "processor : 0\nmodel name\t: AMD EPYC\n\nprocessor : 1\n"
    (tmp_path / "proc" / "cpuinfo").write_text(cpuinfo)
    (tmp_path / "proc" / "device-tree" / "model").write_bytes(b"Radxa ROCK 5B\0")
    found = facts(tmp_path)
    assert found["CPU"] == "AMD EPYC"
    assert found["board"] == "Radxa ROCK 5B"


def test_what_is_unknown_is_left_out(tmp_path: Path) -> None:
    assert not {"CPU", "board"} & set(facts(tmp_path))


def test_the_memory_is_this_machines() -> None:
    gigabytes, unit = facts()["memory"].split()
    assert float(gigabytes) == pytest.approx(
        os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, abs=0.1
    )
    assert unit == "GB"


def test_it_is_told_what_resizes_pictures_in_workers() -> None:
    known = choose()
    assert environment.resize() == (known.reason, known.fix)


def test_an_opencv_that_can_not_be_imported_is_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cv2.py").write_text("raise ImportError('libGL.so.1: no such file')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    reason, fix = environment.resize()
    assert "libGL.so.1" in reason
    assert "opencv-python-headless" in fix


def test_a_module_in_the_current_folder_is_not_taken_for_opencv(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cv2.py").write_text("raise ImportError")
    monkeypatch.chdir(tmp_path)
    assert environment.resize()[0] == choose().reason
