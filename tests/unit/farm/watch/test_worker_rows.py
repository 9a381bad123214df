from __future__ import annotations

import pytest

from farm.watch.history import History
from farm.watch.worker_rows import rows
from tests.helpers.pictures_of_farms import view
from tests.helpers.snapshots import a_worker

TWELVE = tuple(a_worker(index) for index in range(12))  # on three NPU cores


@pytest.mark.parametrize(("most", "names"), [(12, 12), (None, 12), (11, 3), (3, 3), (2, 1), (0, 1)])
def test_as_many_rows_as_there_is_room_for(most: int | None, names: int) -> None:
    found = rows(TWELVE, History(), most)
    assert len(found) == names
    assert sum(row.images for row in found) == sum(worker.images for worker in TWELVE)


def test_a_row_of_several_has_sums_means_and_every_state() -> None:
    workers = (
        a_worker(0, images=5, memory_mb=10.0, losses=1, cpus=(4,), ms={"infer": 2.0}),
        a_worker(3, state="lost", images=7, memory_mb=20.0, losses=2, cpus=(5,), ms={"infer": 4.0}),
        a_worker(6, images=1, memory_mb=1.0, losses=0, cpus=(6,), ms={}),
    )
    (row,) = rows(workers, History(), 1)
    assert (row.name, row.state, row.up, row.npu_core) == ("3 workers", "2 up, 1 lost", False, "0")
    assert (row.images, row.memory_mb, row.losses, row.cpus) == (13, 31.0, 3, "4-6")
    assert (row.ms, row.rate, row.pid) == ({"infer": 3.0}, None, "-")


def test_workers_without_an_npu_core_are_one_group() -> None:
    cpu_only = tuple(a_worker(index, npu_core=None) for index in range(4))
    (row,) = rows(cpu_only, History(), 3)
    assert (row.name, row.npu_core) == ("4 workers", "-")


def test_a_worker_infers_for_a_share_of_its_time() -> None:
    seen = view(workers=1, seconds=10)
    assert seen.snapshot.farm is not None
    (row,) = rows(seen.snapshot.farm.workers, seen.history, None)
    assert row.rate == 25.0  # 250 images in 10 s
    assert row.inferring == pytest.approx(25.0 * 2.6 / 1000)
