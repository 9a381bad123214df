from __future__ import annotations

from msgspec.structs import replace

from farm.watch.below_bar import BelowBar
from farm.watch.snapshot import Snapshot
from tests.helpers.pictures_of_farms import board_view, text_of, view


def lines(*snapshots: Snapshot) -> list[str]:
    coming = iter(snapshots)
    below = BelowBar(lambda: next(coming))
    return [text_of(below(60), 60) for _ in snapshots][-1]


def test_the_rate_and_the_load_of_each_npu_core() -> None:
    first = view(seconds=1, simulated=True).snapshot
    assert first.farm is not None
    second = replace(first, at=first.at + 1, farm=replace(first.farm, ok=first.farm.ok + 9))
    shown = lines(first, second)
    assert shown[0].split() == ["rate", "812/s", "█"]
    assert [line.split("  ")[0] for line in shown[1:]] == [f"simulated NPU {n}" for n in range(3)]


def test_without_an_npu_the_load_of_the_cpus() -> None:
    shown = lines(view(npu_load=None, no_npu_load="CPUs run the model").snapshot)
    assert [line.split()[0] for line in shown] == ["rate", "CPUs"]


def test_nothing_without_a_farm() -> None:
    assert "".join(lines(board_view().snapshot)).strip() == ""
