"""A hub that loses its disk in the middle of a run, or is away when all are told to stop."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

from farm.sources.renders import write_renders
from tests.helpers.cluster import cluster
from tests.helpers.hub import hub
from tests.helpers.support import PATIENCE

COUNT = 120


def test_images_that_went_with_the_hubs_disk_are_sent_again(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    write_renders(folder, count=COUNT, seed=5)
    store = tmp_path / "hub"
    with hub(store) as running, cluster(running.address, tmp_path) as crew:
        crew.boards("slow", service_ms=40)
        sender = crew.sender(folder)
        crew.wait_for_results(10)
        running.kill()
        shutil.rmtree(store / "jetstream")
        running.start()
        sender.wait_for("hub_has_lost")
        sender.succeed()
        found = [line["path"] for line in crew.results()]
    assert sorted(found) == sorted(str(each) for each in folder.iterdir())


def test_who_is_stopped_while_the_hub_is_away_ends_by_the_signal(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    write_renders(folder, count=COUNT, seed=5)
    with hub(tmp_path / "hub") as running, cluster(running.address, tmp_path) as crew:
        (board,) = crew.boards("slow", service_ms=40)
        sender = crew.sender(folder)
        crew.wait_for_results(10)
        running.kill()
        for one in (board, sender):
            one.wait_for("hub_lost")
            one.send(signal.SIGTERM)
        board.wait_for("draining")
        for one in (board, sender):
            one.send(signal.SIGTERM)
        assert [one.process.wait(PATIENCE) for one in (board, sender)] == [143, 143], crew.logs()


def test_a_sender_that_is_there_before_the_boards_finds_them(tmp_path: Path) -> None:
    """So it is when the hub has started again, and its boards have not noticed yet."""
    folder = tmp_path / "images"
    folder.mkdir()
    write_renders(folder, count=4, seed=5)
    with hub(tmp_path / "hub") as running, cluster(running.address, tmp_path) as crew:
        sender = crew.sender(folder)
        sender.wait_for("no_board_yet")
        crew.boards("late")
        sender.succeed()
        assert len(crew.results()) == 4
