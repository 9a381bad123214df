"""Workers that die, hang or fail: what they held is classified all the same."""

from __future__ import annotations

import itertools
import logging
import os
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from farm.api import Farm
from farm.errors import NoWorkersError
from farm.results.result import Result
from tests.helpers.programs import missing
from tests.helpers.support import VENDOR, children_of, simulated
from tests.helpers.told import Told


def killing(
    results: Iterator[Result], after: int, number: signal.Signals = signal.SIGKILL
) -> list[Result]:
    """Take all results; send one worker `number` once `after` of them have come."""
    taken = []
    for result in results:
        taken.append(result)
        if len(taken) == after:
            os.kill(children_of(os.getpid())[0], number)
    return taken


@pytest.mark.parametrize(
    ("number", "count"), [(signal.SIGKILL, 900), (signal.SIGSEGV, 300), (signal.SIGTERM, 300)]
)
def test_a_worker_killed_amid_a_run_costs_no_image(
    renders: list[Path], number: signal.Signals, count: int
) -> None:
    images = (renders * 28)[:count]
    told = Told()
    with Farm(simulated(simulated={"service_ms": 0.1}), log=told) as farm:
        results = killing(farm.classify(images), count // 4, number)
        assert farm.losses == 1
    assert sorted(result.id for result in results) == list(range(count))
    assert all(result.error is None for result in results)
    assert Counter(result.path for result in results) == Counter(map(str, images))
    (died,) = told.of("worker_died")
    assert missing((number.name, "0.1 s"), died) == []


def clean_all(folder: Path) -> None:
    shutil.rmtree(folder)


def clean_sockets(folder: Path) -> None:
    for name in folder.iterdir():
        if name.is_socket():
            name.unlink()


@pytest.mark.parametrize("clean", [clean_all, clean_sockets])
@pytest.mark.usefixtures("short_back_off")
def test_a_worker_lost_after_the_farms_folder_is_told_so_and_the_others_work_on(
    renders: list[Path], run_dirs: Path, clean: Callable[[Path], None]
) -> None:
    """As cleaners of temporary files do that know no locks."""
    told = Told()
    with Farm(simulated(size=2, npu_cores=[0, 1], self_test_seconds=1), log=told) as farm:
        assert len(list(farm.classify(renders))) == len(renders)
        clean(next(run_dirs.iterdir()))
        assert len(killing(farm.classify(renders), 10)) == len(renders)
        while not told.of("worker_given_up"):
            assert all(result.error is None for result in farm.classify(renders))
        (given_up,) = told.of("worker_given_up")
        assert missing((str(run_dirs), "was removed", "restart the farm"), given_up) == []
        (last,) = children_of(os.getpid())
        os.kill(last, signal.SIGKILL)
        with pytest.raises(NoWorkersError, match="was removed"):
            list(farm.classify(renders))


def test_the_one_worker_comes_back_and_finishes(renders: list[Path]) -> None:
    told = Told()
    with Farm(simulated(size=1), log=told) as farm:
        results = killing(farm.classify(renders), 10)
    assert len(results) == len(renders)
    assert len(told.of("worker_back", 0)) == 1
    assert max(result.attempts for result in results) == 2


def test_a_worker_that_hangs_is_killed_and_its_batches_go_to_others(renders: list[Path]) -> None:
    told = Told()
    config = simulated(batch_seconds=3.0)  # more than a healthy worker takes on any machine
    with Farm(config, log=told) as farm:
        results = killing(farm.classify(renders * 4), 10, signal.SIGSTOP)
        assert farm.losses == 1
    assert len(results) == len(renders) * 4
    assert any("3 s" in line for line in told.of("worker_died"))


@pytest.mark.usefixtures("short_back_off")
def test_a_worker_that_dies_again_and_again_is_given_up(renders: list[Path]) -> None:
    told = Told()

    def kill_all(results: Iterator[Result]) -> None:
        for _ in results:
            for pid in children_of(os.getpid()):
                with suppress(ProcessLookupError):  # it was killed a moment ago
                    os.kill(pid, signal.SIGKILL)

    endless = itertools.repeat(renders[0])
    with (
        Farm(simulated(size=1), log=told) as farm,
        pytest.raises(NoWorkersError, match="SIGKILL"),
    ):
        kill_all(farm.classify(endless))
    (given_up,) = told.of("worker_given_up", 0)
    assert "7 times" in given_up


@pytest.mark.usefixtures("short_back_off")
def test_the_end_of_the_last_worker_is_told_even_as_it_ends_an_item(
    renders: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KillsWhoIsBack(Told):
        def handle(self, record: logging.LogRecord) -> None:
            super().handle(record)
            if self.events[-1] == ("worker_back", 0):
                os.kill(children_of(os.getpid())[0], signal.SIGKILL)

    # Three items are in its hands at its first death. Then each is tried alone, and ends with its
    # third death: the last one together with the slot, which its seventh death gives up.
    model = tmp_path / "hangs.rknn"
    model.write_text('{"fault": "run-2-hang"}', encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(VENDOR))
    config = simulated(size=1, batch=4, window=2, runtime="rknn", model=model)
    errors: list[Result] = []
    with Farm(config, log=KillsWhoIsBack()) as farm:
        os.kill(children_of(os.getpid())[0], signal.SIGKILL)
        results = farm.classify(renders[:4])
        with pytest.raises(NoWorkersError, match="SIGKILL"):
            errors.extend(results)
    died = [r.error for r in errors if r.error]
    assert [error.kind for error in died] == ["worker_died"] * 3
    assert all("SIGKILL" in error.message for error in died)
