"""`npu-farm send`: a real hub and sender; the boards are of this process, and compute nothing."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace as changed
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from farm.cluster import names
from farm.cluster.link import connect
from farm.cluster.sender import DRAIN_SECONDS
from farm.sources.renders import write_renders
from tests.helpers.fake_board import content, fake_board, tench
from tests.helpers.hub import TOKEN, Hub, hub
from tests.helpers.programs import NPU_FARM, Programs, npu_farm, read_until
from tests.helpers.support import PATIENCE, wait_for
from tests.unit.farm.cluster.test_offer import OFFER

COUNT = 50


@pytest.fixture(scope="module")
def a_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with hub(tmp_path_factory.mktemp("hub")) as running:
        yield running


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of which each has another content; no board here decodes them."""
    folder = tmp_path_factory.mktemp("images")
    for number in range(COUNT):
        (folder / f"{number:03}.jpg").write_bytes(b"%03d" % number + bytes(1000))
    return folder


def lines(output: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.read_text().splitlines()]


def names_in(output: Path) -> list[str]:
    return [os.path.basename(line["path"]) for line in lines(output)]


EACH = [f"{number:03}.jpg" for number in range(COUNT)]
JOBS = [16, 16, 9, 4, 2, 1, 1, 1]  # their images, for one board


def test_each_image_is_once_in_the_file_with_its_board_and_run(
    a_hub: Hub, images: Path, tmp_path: Path
) -> None:
    output = tmp_path / "r.jsonl"
    with fake_board(a_hub.address) as one, fake_board(a_hub.address, name="other") as other:
        done = npu_farm("send", a_hub.address, str(images), "-q", "-o", str(output))
    assert done.returncode == 0, done.stderr
    assert sorted(names_in(output)) == EACH
    assert sorted(line["id"] for line in lines(output)) == list(range(COUNT))
    boards = [line["board"] for line in lines(output)]
    assert set(boards) == {"fake", "other"}
    assert f"fake: {boards.count('fake')}, other: {boards.count('other')}" in done.stderr
    sent = {each.id: content(each) for b in (one, other) for j in b.jobs for each in j.parcels}
    by_id = {line["id"]: line["path"] for line in lines(output)}
    assert sent == {number: Path(path).read_bytes() for number, path in by_id.items()}
    runs = {line["run"] for line in lines(output)}
    assert runs == {job.run for job in one.jobs}


def test_results_come_in_the_order_of_the_images_if_asked(
    a_hub: Hub, images: Path, tmp_path: Path, programs: Programs
) -> None:
    output = tmp_path / "r.jsonl"
    words = ("send", a_hub.address, str(images), "-q", "-o", str(output), "--ordered")
    with fake_board(a_hub.address, idle=True) as slow, fake_board(a_hub.address) as quick:
        sender = programs.start(NPU_FARM, *words)
        assert wait_for(lambda: bool(quick.jobs and slow.jobs))
        slow.working.set()
        assert sender.wait(PATIENCE) == 0
    assert names_in(output) == EACH


def test_a_table_has_a_column_of_boards(a_hub: Hub, images: Path, tmp_path: Path) -> None:
    output = tmp_path / "r.csv"
    with fake_board(a_hub.address, name="kitchen"):
        done = npu_farm("send", a_hub.address, str(images), "-q", "-o", str(output))
    assert done.returncode == 0, done.stderr
    with output.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["board"] for row in rows} == {"kitchen"}
    assert sorted(os.path.basename(row["path"]) for row in rows) == EACH


def test_what_can_not_be_read_has_an_error_and_does_not_travel(
    a_hub: Hub, images: Path, tmp_path: Path
) -> None:
    listed, page = tmp_path / "list.txt", tmp_path / "page.html"
    listed.write_text(f"{images}/000.jpg\nnone.jpg\n{images}\n")
    output = tmp_path / "r.jsonl"
    with fake_board(a_hub.address) as board:
        done = npu_farm(
            "send", a_hub.address, str(listed), "-q", "-o", str(output), "--html", str(page)
        )
    assert done.returncode == 1
    kinds = {line["id"]: line["error"] and line["error"]["kind"] for line in lines(output)}
    assert kinds == {0: None, 1: "missing", 2: "not_a_file"}
    assert [each.id for job in board.jobs for each in job.parcels] == [0]
    assert "tench" in page.read_text()
    assert TOKEN not in page.read_text() + done.stderr + output.read_text()


def test_copies_and_pictures_do_not_depend_on_a_boards_clock(a_hub: Hub, tmp_path: Path) -> None:
    """They are made of images that have not changed since they were read."""
    write_renders(tmp_path / "renders", count=3, seed=3)
    copies, page = tmp_path / "copies", tmp_path / "page.html"
    words = ("send", a_hub.address, str(tmp_path / "renders"), "-q")
    with fake_board(a_hub.address, answer=lambda parcel: changed(tench(parcel), read_at=1.0)):
        done = npu_farm(*words, "--annotate", str(copies), "--html", str(page))
    assert done.returncode == 0, done.stderr
    assert len(list(copies.rglob("*.jpg"))) == 3
    assert page.read_text().count('"thumb":"') == 3


def test_a_list_that_comes_slowly_is_sent_as_it_comes(
    a_hub: Hub, images: Path, programs: Programs
) -> None:
    with fake_board(a_hub.address):
        sender = programs.start(NPU_FARM, "send", a_hub.address, "-", stdin=subprocess.PIPE)
        assert sender.stdin is not None
        assert sender.stdout is not None
        for name in EACH[:3]:
            sender.stdin.write(f"{images}/{name}\n")
            sender.stdin.flush()
            assert sender.stdout.readline().startswith(f"{images}/{name}: tench")
        sender.stdin.close()
        assert sender.wait(PATIENCE) == 0


def test_a_run_that_nobody_serves_says_so_and_what_there_is(
    a_hub: Hub, images: Path, tmp_path: Path
) -> None:
    output = tmp_path / "r.jsonl"
    words = ("send", a_hub.address, str(images), "-o", str(output))
    alone = npu_farm(*words)
    with fake_board(a_hub.address):
        other = npu_farm(*words, "--model", "no-such-model")
    assert (alone.returncode, other.returncode) == (3, 3)
    assert OFFER.name in other.stderr
    assert not output.exists()


def test_boards_of_two_models_are_told_apart(a_hub: Hub, images: Path, tmp_path: Path) -> None:
    other = replace(OFFER, name="other", model="f" * 64)
    output = tmp_path / "r.jsonl"
    words = ("send", a_hub.address, str(images), "-q", "-o", str(output))
    with fake_board(a_hub.address) as one, fake_board(a_hub.address, name="2", offer=other) as two:
        unclear = npu_farm(*words)
        by_name = npu_farm(*words, "--model", "other")
    assert (unclear.returncode, by_name.returncode) == (3, 0), by_name.stderr
    assert not one.jobs
    assert sum(len(job.parcels) for job in two.jobs) == COUNT


def test_a_sender_that_was_killed_goes_on_where_it_was(
    a_hub: Hub, images: Path, tmp_path: Path, programs: Programs
) -> None:
    """Results that came after its death wait in the hub; what no board has had is taken back."""
    output = tmp_path / "r.jsonl"
    words = ("send", a_hub.address, str(images), "-q", "-o", str(output))
    with fake_board(a_hub.address) as board:
        board.most = 2
        sender = programs.start(NPU_FARM, *words)
        assert wait_for(lambda: output.exists() and bool(lines(output)) and board.idles)
        sender.kill()
        sender.wait()
        done_before = len(lines(output))
        board.most = 3
        assert wait_for(lambda: len(board.answered) == 3)
        waiting = board.answered[-1].parcels[0]
        assert waiting.path is not None
        with output.open("a") as file:
            # One that was written and not acknowledged, and a death in the middle of a write.
            line = {**lines(output)[0], "id": waiting.id, "path": os.fsdecode(waiting.path)}
            file.write(f'{json.dumps(line)}\n{{"id": 7')
        board.most = COUNT
        again = npu_farm(*words, "--resume")
        answered = [each.id for job in board.answered for each in job.parcels]
    assert again.returncode == 0, again.stderr
    assert sorted(names_in(output)) == EACH
    ids = [line["id"] for line in lines(output)]
    assert len(set(ids)) == len(ids)
    first = lines(output)[0]["run"]
    kept = [line for line in lines(output) if line["run"] == first]
    assert len(kept) > done_before
    assert sorted(line["id"] for line in kept) == sorted(answered[: len(kept)])


def test_a_full_hub_is_waited_for(images: Path, tmp_path: Path, programs: Programs) -> None:
    output = tmp_path / "r.jsonl"
    with (
        hub(tmp_path / "hub", jobs_bytes=20_000) as small,
        fake_board(small.address, idle=True) as board,
    ):
        words = ("send", small.address, str(images), "-q", "-o", str(output))
        sender = programs.start(NPU_FARM, *words)
        assert sender.stderr is not None
        told = read_until(sender.stderr, "the hub is full")
        board.working.set()
        assert sender.wait(PATIENCE) == 0
        assert told not in sender.stderr.read()
    assert sorted(names_in(output)) == EACH


def test_a_signal_lets_boards_end_what_they_have_and_resume_does_the_rest(
    a_hub: Hub, images: Path, tmp_path: Path, programs: Programs
) -> None:
    output = tmp_path / "r.jsonl"
    words = ("send", a_hub.address, str(images), "-q", "-o", str(output))
    with fake_board(a_hub.address, idle=True) as board:
        sender = programs.start(NPU_FARM, *words)
        assert wait_for(lambda: bool(board.jobs) and jobs_in(a_hub) == len(JOBS))
        sender.send_signal(signal.SIGINT)
        assert wait_for(lambda: jobs_in(a_hub) <= 1)  # the one that the board has
        board.working.set()
        assert sender.wait(PATIENCE) == 128 + signal.SIGINT
        assert sender.stderr is not None
        assert "--resume" in sender.stderr.read()
        (job,) = board.jobs
        assert [line["id"] for line in lines(output)] == [each.id for each in job.parcels]
        assert npu_farm(*words, "--resume").returncode == 0
    assert sorted(names_in(output)) == EACH


def test_after_a_signal_nothing_more_goes_to_a_full_hub(
    images: Path, tmp_path: Path, programs: Programs
) -> None:
    with (
        hub(tmp_path / "hub", jobs_bytes=20_000) as small,
        fake_board(small.address, idle=True) as board,
    ):
        sender = programs.start(NPU_FARM, "send", small.address, str(images), "-q")
        read_until(sender.stderr, "the hub is full")
        sender.send_signal(signal.SIGINT)
        assert wait_for(lambda: jobs_in(small) == 0)
        board.working.set()
        assert sender.wait(PATIENCE) == 128 + signal.SIGINT
        assert len(board.jobs) == 1


def test_a_second_signal_ends_at_once(a_hub: Hub, images: Path, programs: Programs) -> None:
    with fake_board(a_hub.address, idle=True) as board:
        sender = programs.start(NPU_FARM, "send", a_hub.address, str(images), "-q")
        assert wait_for(lambda: bool(board.jobs) and jobs_in(a_hub) == len(JOBS))
        sender.send_signal(signal.SIGTERM)
        assert wait_for(lambda: jobs_in(a_hub) <= 1)
        sender.send_signal(signal.SIGTERM)
        assert sender.wait(DRAIN_SECONDS / 2) == 128 + signal.SIGTERM
        board.working.set()


def test_nothing_of_a_run_is_left_in_the_hub(a_hub: Hub, images: Path) -> None:
    with fake_board(a_hub.address):
        assert npu_farm("send", a_hub.address, str(images), "-q").returncode == 0
    assert jobs_in(a_hub) == 0
    assert state_of(a_hub, names.RESULTS) == (0, 0)


def jobs_in(running: Hub) -> int:
    return state_of(running, names.JOBS)[0]


def state_of(running: Hub, stream: str) -> tuple[int, int]:
    """How many messages a stream has, and how many consumers."""

    async def ask() -> tuple[int, int]:
        link = await connect(running.access, "test", lambda _: None)
        state = (await link.jetstream().stream_info(stream)).state
        await link.close()
        return state.messages, state.consumer_count

    return asyncio.run(ask())
