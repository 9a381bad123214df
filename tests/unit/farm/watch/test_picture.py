from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from farm.watch.panes import View
from farm.watch.picture import picture
from farm.watch.snapshot import Told
from tests.helpers.pictures_of_farms import BEGUN, board_view, text_of, view

VIEWS = {
    "three workers": view(),
    "simulated, twelve workers": view(12, simulated=True, runtime="simulated"),
    "on CPUs, forty workers": view(
        40,
        runtime="onnx",
        npu_load=None,
        no_npu_load="NPU load: no such file",
        note="no snapshot for 12 s: the program takes no results",
        failures={},
        warnings=tuple(Told(at=BEGUN, message=f"worker {index} died") for index in range(5)),
    ),
    "a board": board_view(),
}


def shown(seen: View, width: int, height: int) -> list[str]:
    return text_of(picture(seen, width, height), width)


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (120, 40), (200, 50)], ids=str)
@pytest.mark.parametrize("name", VIEWS)
def test_a_picture_of_a_size(name: str, size: tuple[int, int], snapshot: SnapshotAssertion) -> None:
    assert "\n".join(shown(VIEWS[name], *size)) == snapshot


@given(name=st.sampled_from(sorted(VIEWS)), width=st.integers(30, 250), height=st.integers(10, 60))
def test_a_picture_is_no_larger_than_its_terminal(name: str, width: int, height: int) -> None:
    lines = shown(VIEWS[name], width, height)
    assert len(lines) <= height
    assert max(map(len, lines)) <= width


def test_without_a_limit_every_worker_has_a_line() -> None:
    lines = text_of(picture(VIEWS["on CPUs, forty workers"], 80), 80)
    assert [line for line in lines if line.startswith("39 ")] != []
    assert sum("died" in line for line in lines) == 5


def test_rates_and_bars_that_are_simulated_are_never_without_that_word() -> None:
    for width, height in ((40, 10), (80, 24), (200, 50)):
        lines = shown(VIEWS["simulated, twelve workers"], width, height)
        assert "SIMULATED" in lines[0]


def test_a_farm_that_starts_has_no_workers_yet() -> None:
    lines = shown(view(0, stages={}, npu_load=None, no_npu_load=None, warnings=()), 80, 24)
    assert not any(line.startswith("worker ") for line in lines)
