from __future__ import annotations

from msgspec.structs import replace

from farm.watch.history import KEPT, History
from farm.watch.snapshot import Snapshot
from tests.helpers.pictures_of_farms import board_view
from tests.helpers.snapshots import a_farm, a_snapshot, a_worker


def at(second: float, ok: int, pid: int = 1, **farm: object) -> Snapshot:
    made = a_farm(ok=ok, failures={}, pid=pid, started=0.0)
    workers = (a_worker(0, images=ok), a_worker(1, images=0))
    return replace(a_snapshot(), at=second, farm=replace(made, workers=workers, **farm))


def of(*snapshots: Snapshot) -> History:
    history = History()
    for each in snapshots:
        history = history.after(each)
    return history


def test_a_rate_is_of_two_snapshots_however_far_apart_they_are() -> None:
    assert of(at(10, 100), at(11, 150), at(13, 250)).rates() == (50.0, 50.0)


def test_images_that_failed_have_ended_too() -> None:
    assert of(at(0, 0), at(1, 3, failures={"empty": 4})).rates() == (7.0,)


def test_snapshots_that_come_more_often_are_put_together() -> None:
    snapshots = [at(second / 4, second) for second in range(9)]
    assert of(*snapshots).rates() == of(at(0, 0), at(0.75, 3), at(1.5, 6)).rates()


def test_another_farm_begins_anew_and_so_does_a_board_without_one() -> None:
    history = of(at(0, 0), at(1, 50))
    assert history.after(at(2, 10, pid=2)).rates() == ()
    assert history.after(board_view().snapshot) == History()


def test_only_the_last_snapshots_are_kept() -> None:
    assert len(of(*(at(second, second) for second in range(KEPT + 5))).points) == KEPT


def test_a_workers_rate_is_of_the_last_ten_seconds() -> None:
    history = of(at(0, 0), at(60, 600), at(65, 650), at(70, 750))
    assert history.worker_rate(0) == 15.0
    assert history.worker_rate(1) == 0.0


def test_a_workers_rate_is_not_known_of_one_snapshot_and_of_two_far_apart_it_is() -> None:
    assert of(at(0, 0)).worker_rate(0) is None
    assert of(at(0, 0), at(100, 100)).worker_rate(0) == 1.0
