"""How one size is measured: with farms that run nothing, and clocks of our own."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any, cast

import pytest

from farm.api import Farm
from farm.bench.measure import measure
from farm.errors import SensorError, SourceError
from farm.hardware.platforms import Machine
from farm.hardware.sensors import Sample
from farm.report.data import Measured
from farm.results.result import Prediction, Result, Timings
from farm.results.stats import PHASES
from farm.scheduler.placement import FarmPlan, plan
from farm.sources.base import IterableSource
from farm.system.process_usage import CpuTimes, Tree
from tests.helpers.support import simulated
from workers.protocol.messages import FileRef, ItemError

BOARD = Machine(soc="rk3588", cpus=tuple(range(8)), capacities={})
TICK = 0.25  # seconds between two looks at the clock
DENIED = SensorError("NPU load: no permission; sudo chmod a+x /sys/kernel/debug")


def planned(**config: Any) -> FarmPlan:
    return plan(simulated(**config), BOARD, "/nowhere")


def on_npu(**config: Any) -> FarmPlan:
    return planned(runtime="rknn", model="/m.rknn", **config)


def told(**changes: Any) -> Sample:
    values = {"load": (0.9, 0.8, 0.7), "temperatures": {"npu-thermal": 61.4}, "clocks": ()}
    return Sample(**{**values, **changes})


class IdleFarm:
    """A farm whose images take the time that looking at the clock takes.

    Its simulated NPU has been busy for half a second more at each look.
    """

    losses = 2
    bad_cores = (1,)
    start_seconds = 0.7

    def __init__(self, decided: FarmPlan, *, failing: int = 0) -> None:
        self.plan = decided
        self.runs: list[int] = []
        self._failing = failing
        self._busy = count()

    def npu_busy_seconds(self) -> tuple[float, ...] | None:
        if not self.plan.simulated:
            return None
        return (0.5 * next(self._busy), 0.0, 0.0)

    def run(self, source: Any) -> Iterator[Result]:
        refs = source.take(1000)
        self.runs.append(len(refs))
        for number, _ in enumerate(refs):
            yield a_result(number, failed=number < self._failing)


def a_result(number: int, *, failed: bool) -> Result:
    return Result(
        id=number,
        path=None,
        top5=None if failed else (Prediction(0, None, 1.0),),
        error=ItemError("empty", "no bytes in it") if failed else None,
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

    def read(self) -> Sample:
        self.reads += 1
        return self.samples[(self.reads - 1) % len(self.samples)]


@pytest.fixture(autouse=True)
def board(monkeypatch: pytest.MonkeyPatch) -> Board:
    ticks, board = count(), Board()
    monkeypatch.setattr("farm.bench.measure.time.monotonic", lambda: 100.0 + next(ticks) * TICK)
    monkeypatch.setattr("farm.hardware.sensors.sample", board.read)
    monkeypatch.setattr(
        "farm.system.process_usage.tree", lambda _root: Tree(root=1, inner=(2,), leaves=(3, 4, 5))
    )
    monkeypatch.setattr(
        "farm.system.process_usage.pss_mb", {1: 40.0, 2: 10.0, 3: 24.0, 4: 25.0}.get
    )
    cpu = count()  # each look at the CPU times finds more
    monkeypatch.setattr("farm.system.process_usage.cpu_times", lambda _cpus: cpu_times(next(cpu)))
    return board


def cpu_times(look: int) -> CpuTimes:
    seconds = {1: look * 0.4, 2: look * 1.0, 3: look * 0.6}
    return CpuTimes(root=1, processes=seconds, machine=look * 3.0)


def images(number: int = 40) -> IterableSource:
    return IterableSource([FileRef(b"x")] * number)


def measured(farm: IdleFarm, rounds: int = 1, number: int = 40) -> Measured:
    found = measure(cast(Farm, farm), lambda: images(number), rounds=rounds)
    assert found is not None
    return found


def test_rounds_are_counted_and_the_warm_up_is_not() -> None:
    farm = IdleFarm(on_npu())
    found = measured(farm, rounds=3)
    assert farm.runs == [12, 12, 40, 40, 40]
    assert [each.images for each in found.rounds] == [40, 40, 40]
    assert found.per_worker == {0: 120}
    assert sum(images for _, images in found.distribution) == 120


def test_a_warm_up_ends_with_its_images_or_in_time() -> None:
    few, many = IdleFarm(on_npu()), IdleFarm(on_npu())
    measured(few, number=5)
    assert few.runs == [5, 5]
    measured(many, number=100)
    assert many.runs == [12, 12, 100]  # half a second is two looks at the clock


def test_a_round_takes_from_its_first_image_to_its_last() -> None:
    (only,) = measured(IdleFarm(on_npu())).rounds
    assert only.seconds == pytest.approx(41 * TICK)
    assert only.average_ms == pytest.approx(41 * TICK * 1000 / 40)


def test_cpu_time_is_per_image_and_that_of_others_per_second() -> None:
    (only,) = measured(IdleFarm(on_npu())).rounds
    assert only.coordinator_cpu_ms == pytest.approx(400 / 40)
    assert only.workers_cpu_ms == pytest.approx(1600 / 40)
    assert only.others_cpus == pytest.approx((3.0 - 2.0) / (41 * TICK))


def test_images_that_failed_are_counted_apart() -> None:
    found = measured(IdleFarm(on_npu(), failing=4), rounds=2)
    assert [(each.images, each.failed) for each in found.rounds] == [(36, 4), (36, 4)]
    assert found.failures == {"empty": 8}
    only = found.rounds[0]  # as its time, its CPU time is per image that was classified
    assert only.coordinator_cpu_ms == pytest.approx(400 / 36)
    assert only.workers_cpu_ms == pytest.approx(1600 / 36)


def test_images_that_all_failed_are_no_measurement() -> None:
    farm = IdleFarm(on_npu(), failing=1000)
    with pytest.raises(SourceError, match="first: item 0: error: empty: no bytes in it"):
        measured(farm, rounds=2)


def test_a_round_that_a_signal_cut_short_does_not_count() -> None:
    farm = IdleFarm(on_npu())
    stopped = lambda: len(farm.runs) == 4  # noqa: E731 - in the second round
    found = measure(cast(Farm, farm), images, rounds=5, stopped=stopped)
    assert found is not None
    assert len(found.rounds) == 1
    assert found.per_worker == {0: 40}


def test_without_a_whole_round_there_is_nothing() -> None:
    farm = IdleFarm(on_npu())
    assert measure(cast(Farm, farm), images, rounds=2, stopped=lambda: True) is None
    assert farm.runs == [12]


def test_the_simulated_npu_tells_its_own_saturation() -> None:
    found = measured(IdleFarm(planned()), rounds=2)
    assert found.saturation == pytest.approx((0.5 / (41 * TICK), 0.0, 0.0))
    assert found.service_ms == 1.0


def test_saturation_is_the_kernels_load_where_that_can_be_read() -> None:
    found = measured(IdleFarm(on_npu()), rounds=2)
    assert found.conditions is not None
    assert found.conditions.load == pytest.approx((0.9, 0.8, 0.7))
    assert all(each.saturation == found.conditions.load for each in found.rounds)


def test_the_sensors_are_read_twice_a_second_through_all_rounds(board: Board) -> None:
    measured(IdleFarm(on_npu()), rounds=2)
    assert board.reads == 40


def test_without_the_load_saturation_is_from_inference_times_and_it_is_said_why(
    board: Board,
) -> None:
    board.samples = (told(load=DENIED),)
    found = measured(IdleFarm(on_npu()))
    # 40 images of 100 ms in 10.25 s, all of worker 0.
    assert found.saturation == pytest.approx((4.0 / 10.25, 0.0, 0.0))
    assert found.conditions is not None
    assert found.conditions.no_load == str(DENIED)


@pytest.mark.parametrize("changes", [{}, {"runtime": "onnx", "model": "/m.onnx"}])
def test_without_an_npu_of_its_own_a_machines_sensors_are_not_read(
    board: Board, changes: dict[str, Any]
) -> None:
    found = measured(IdleFarm(planned(**changes)))
    assert board.reads == 0
    assert found.conditions is None


def test_on_a_cpu_there_is_no_npu_core_and_one_share_for_all_runtimes() -> None:
    found = measured(IdleFarm(planned(runtime="onnx", model="/m.onnx")))
    assert (found.npu_cores, found.service_ms) == ((), None)
    assert found.saturation == pytest.approx((4.0 / 10.25 / 3,))


@pytest.mark.parametrize(("size", "service_ms"), [(2, 100.0), (3, 100.0), (6, None)])
def test_an_inference_time_is_a_service_time_where_no_runtimes_share_a_core(
    size: int, service_ms: float | None
) -> None:
    found = measured(IdleFarm(on_npu(size=size)))
    assert found.npu_cores == tuple(range(min(size, 3)))
    assert found.service_ms == (service_ms and pytest.approx(service_ms, rel=0.01))


def test_what_the_farm_tells_of_itself_is_kept() -> None:
    found = measured(IdleFarm(on_npu()))
    assert (found.losses, found.left_out, found.start_seconds) == (2, (1,), 0.7)
    assert found.cpus == tuple(range(8))
    assert (found.coordinator_mb, found.helpers_mb) == (40.0, 10.0)
    assert found.worker_mb == (24.0, 25.0)  # the third does not tell
    assert found.means["decode"] == pytest.approx(100.0)
    assert found.percentiles["decode"][0] == pytest.approx(100.0, rel=0.01)
