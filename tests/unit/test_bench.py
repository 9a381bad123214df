"""What the benchmark measures on a board, and how it says so: with farms that run nothing."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any, cast

import pytest

from farm.api import Farm
from farm.bench import measure, report
from farm.errors import SensorError
from farm.plan import FarmPlan, plan
from farm.platforms import Machine
from farm.results import Prediction, Result, Timings
from farm.sensors import Clock, Sample
from farm.stats import PHASES
from tests.support import simulated

BOARD = Machine(soc="rk3588", cpus=tuple(range(8)), capacities={})
TICK = 0.25  # seconds between two looks at the clock
DENIED = SensorError("NPU load: no permission; sudo chmod a+x /sys/kernel/debug")


def planned(**config: Any) -> FarmPlan:
    return plan(simulated(**config), BOARD, "/nowhere")


def on_npu() -> FarmPlan:
    return planned(runtime="rknn", model="/m.rknn")


def told(**changes: Any) -> Sample:
    values = {"load": (0.9, 0.8, 0.7), "temperatures": {"npu-thermal": 61.4}, "clocks": ()}
    return Sample(**{**values, **changes})


class IdleFarm:
    """A farm whose images take the time that looking at the clock takes."""

    losses = 0
    bad_cores = ()

    def __init__(self, decided: FarmPlan, busy: tuple[float, ...] | None) -> None:
        self.plan = decided
        self._busy = busy

    def npu_busy_seconds(self) -> tuple[float, ...] | None:
        return self._busy

    def run(self, source: Any) -> Iterator[Result]:
        for number, _ in enumerate(source.take(1000)):
            yield Result(
                id=number,
                path=None,
                top5=(Prediction(0, None, 1.0),),
                error=None,
                worker=0,
                attempts=1,
                ms=Timings(**dict.fromkeys(PHASES, 100.0)),
                simulated=False,
            )


class Board:
    """What the sensors tell, over and over, and how often they were read."""

    def __init__(self, *samples: Sample) -> None:
        self.samples = samples or (told(),)
        self.reads = 0

    def sample(self) -> Sample:
        self.reads += 1
        return self.samples[(self.reads - 1) % len(self.samples)]


@pytest.fixture
def images(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    folder = tmp_path_factory.mktemp("images")
    for number in range(4):
        (folder / f"{number}.jpg").touch()
    return (str(folder),)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = count()
    monkeypatch.setattr("farm.bench.time.monotonic", lambda: 100.0 + next(ticks) * TICK)


def lines(
    monkeypatch: pytest.MonkeyPatch, images: tuple[str, ...], board: Board, **changes: Any
) -> list[str]:
    monkeypatch.setattr("farm.sensors.sample", board.sample)
    decided = changes.get("plan", on_npu())
    farm = cast(Farm, IdleFarm(decided, changes.get("busy")))
    return report(decided, measure(farm, images, changes.get("repeat", 10)))


def test_saturation_is_the_kernels_load_where_that_can_be_read(
    monkeypatch: pytest.MonkeyPatch, images: tuple[str, ...]
) -> None:
    said = lines(monkeypatch, images, Board(told(load=(0.9, 0.8, 0.7))))
    assert "90% 80% 70%" in said[3]
    # 40 images in 10 seconds, looked at twice a second, but not in the first two.
    assert "core saturation is the kernel's NPU load, the mean of 16 samples" in said
    assert not any("inference times" in line for line in said)


def test_the_sensors_are_read_twice_a_second(
    monkeypatch: pytest.MonkeyPatch, images: tuple[str, ...]
) -> None:
    board = Board()
    lines(monkeypatch, images, board)
    assert board.reads == 20


def test_without_the_load_saturation_is_from_inference_times_and_it_is_said_why(
    monkeypatch: pytest.MonkeyPatch, images: tuple[str, ...]
) -> None:
    said = lines(monkeypatch, images, Board(told(load=DENIED)))
    assert "39% 0% 0%" in said[3]  # 40 images of 100 ms in 10.25 s, all of worker 0
    at = said.index("core saturation is computed from inference times: an upper bound")
    assert said[at + 1] == str(DENIED)
    assert said.count(str(DENIED)) == 1


def test_a_run_too_short_for_the_load_has_it_from_inference_times(
    monkeypatch: pytest.MonkeyPatch, images: tuple[str, ...]
) -> None:
    said = lines(monkeypatch, images, Board(), repeat=1)
    at = said.index("core saturation is computed from inference times: an upper bound")
    assert "-r" in said[at + 1]


def test_the_highest_temperature_is_told_with_its_zone(
    monkeypatch: pytest.MonkeyPatch, images: tuple[str, ...]
) -> None:
    board = Board(told(), told(temperatures={"soc-thermal": 71.6, "npu-thermal": 40.0}), told())
    assert "highest temperature: 72 °C in soc-thermal" in lines(monkeypatch, images, board)


def test_clocks_that_hold_are_said_to(
    monkeypatch: pytest.MonkeyPatch, images: tuple[str, ...]
) -> None:
    board = Board(told(clocks=(Clock("NPU", 1000, 1000, "userspace"),)))
    assert lines(monkeypatch, images, board)[-1] == "no clock dropped"


def test_clocks_that_dropped_are_told_with_what_governs_them(
    monkeypatch: pytest.MonkeyPatch, images: tuple[str, ...]
) -> None:
    high = (Clock("CPU 4-7", 2400, None, "ondemand"), Clock("NPU", 1000, None, None))
    low = (Clock("CPU 4-7", 1800, None, "ondemand"), Clock("NPU", 300, None, None))
    said = lines(monkeypatch, images, Board(told(clocks=high), told(clocks=low)))
    assert said[-1] == (
        "clocks: CPU 4-7 dropped from 2400 to 1800 MHz (governor ondemand), "
        "NPU dropped from 1000 to 300 MHz (governor unknown)"
    )


def test_a_board_without_sensors_is_told_nothing_of_them(
    monkeypatch: pytest.MonkeyPatch, images: tuple[str, ...]
) -> None:
    said = lines(monkeypatch, images, Board(told(load=DENIED, temperatures={}, clocks=())))
    assert said[-1] == str(DENIED)


@pytest.mark.parametrize("changes", [{}, {"runtime": "onnx", "model": "/m.onnx"}])
def test_without_an_npu_of_its_own_a_machines_sensors_are_not_read(
    monkeypatch: pytest.MonkeyPatch, images: tuple[str, ...], changes: dict[str, Any]
) -> None:
    board, decided = Board(), planned(**changes)
    busy = (1.0, 2.0, 3.0) if decided.simulated else None
    said = lines(monkeypatch, images, board, plan=decided, busy=busy)
    assert board.reads == 0
    assert not any("temperature" in line or "dropped" in line for line in said)


def test_the_cores_that_the_figures_are_without_are_named(
    monkeypatch: pytest.MonkeyPatch, images: tuple[str, ...]
) -> None:
    monkeypatch.setattr(IdleFarm, "bad_cores", (1, 2))
    said = lines(monkeypatch, images, Board())
    assert "NPU cores LEFT OUT: 1, 2; these are figures of the others" in said
