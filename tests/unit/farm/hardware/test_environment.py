"""What is noted of the machine that figures are from."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from farm.hardware.environment import facts


def test_versions_kernel_and_date_are_noted() -> None:
    found = facts()
    assert {"npu-farm", "numpy", "opencv-python-headless", "pyzmq", "kernel", "Python"} <= set(
        found
    )
    assert datetime.fromisoformat(found["date"]).tzinfo is not None


def test_a_pc_has_a_processor_and_a_board_its_name(tmp_path: Path) -> None:
    (tmp_path / "proc" / "device-tree").mkdir(parents=True)
    told = "processor : 0\nmodel name\t: AMD EPYC\n\nprocessor : 1\n"
    (tmp_path / "proc" / "cpuinfo").write_text(told)
    (tmp_path / "proc" / "meminfo").write_text("MemTotal:        8126464 kB\n")
    (tmp_path / "proc" / "device-tree" / "model").write_bytes(b"Radxa ROCK 5B\0")
    found = facts(tmp_path)
    assert (found["CPU"], found["memory"]) == ("AMD EPYC", "7.8 GB")
    assert found["board"] == "Radxa ROCK 5B"


def test_what_is_not_told_is_left_out(tmp_path: Path) -> None:
    assert not {"CPU", "memory", "board"} & set(facts(tmp_path))
