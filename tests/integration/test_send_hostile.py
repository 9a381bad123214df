"""What strangers put among a run's results: the file has each image once, and nothing of theirs."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from farm.cluster import names
from farm.cluster.access import Access
from farm.cluster.link import connect
from farm.cluster.messages import Answered, Answers, Job, Parcel, encode
from farm.results.result import Prediction, Result
from tests.helpers.fake_board import fake_board, tench
from tests.helpers.hub import Hub, hub
from tests.helpers.programs import NPU_FARM, npu_farm
from tests.helpers.support import PATIENCE, ROOT, wait_for
from workers.protocol.messages import ItemError, Output

COUNT: Final = 5
CLEAR: Final = "\x1b[2J\x1b]0;title\x07\r\n"
STRANGER: Final = "00" * 10


@pytest.fixture(scope="module")
def a_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with hub(tmp_path_factory.mktemp("hub") / "hub") as running:
        yield running


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images")
    for number in range(COUNT):
        (folder / f"{number}.jpg").write_bytes(b"%d" % number)
    return folder


def strange(job: Job) -> list[bytes]:
    """What nobody of ours would answer to a job."""
    first = job.parcels[0]
    wrong = replace(tench(first), top5=(Prediction(666, "wrong", 1.0),), board="stranger")

    def answers(result: Result, run: str = job.run) -> bytes:
        output = Output(b"\x01") if result.top5 is None and result.error is None else None
        return encode(Answers(run, (Answered(b"/etc/passwd", result, output),)))

    error = ItemError("odd\x1b[2J", CLEAR)
    return [
        b"",
        b"rubbish",
        os.urandom(5000),
        b"\x92\x01" + b"\x91" * 500_000,
        bytes(7 << 20),
        answers(wrong)[:-1],
        answers(wrong, run=STRANGER),
        answers(replace(wrong, id=10**9)),
        answers(replace(wrong, top5=(Prediction(1, "nan", float("nan")),))),
        answers(replace(wrong, top5=wrong.top5 and wrong.top5 * 1000)),
        answers(replace(wrong, top5=None)),  # of a task of the user's
        answers(replace(wrong, top5=None, objects=(), size=(1, 1))),
        answers(replace(wrong, top5=None, error=error)),
        answers(replace(wrong, board=CLEAR)),
        encode(job),
    ]


def publish(running: Hub, subject: str, messages: list[bytes]) -> None:
    async def work() -> None:
        client = await connect(Access(address=running.address), "test", lambda _: None)
        try:
            for data in messages:
                await client.jetstream().publish(subject, data)
        finally:
            await client.close()

    asyncio.run(asyncio.wait_for(work(), PATIENCE))


def test_strangers_answers_are_dropped(a_hub: Hub, images: Path, tmp_path: Path) -> None:
    output = tmp_path / "r.jsonl"
    with fake_board(a_hub.address, idle=True) as lazy:
        words = ("send", a_hub.address, "-q", str(images), "-o", str(output))
        sender = subprocess.Popen(
            [NPU_FARM, *words, "--log-format", "json"], cwd=ROOT, stderr=subprocess.PIPE, text=True
        )
        try:
            assert wait_for(lambda: bool(lazy.jobs))
            job = lazy.jobs[0]
            publish(a_hub, names.result_subject(job.run), strange(job))
            lazy.working.set()
            _, told = sender.communicate(timeout=PATIENCE)
        finally:
            sender.kill()
            sender.communicate()
    assert sender.returncode == 0, told
    lines = [json.loads(line) for line in output.read_text().splitlines()]
    assert sorted(Path(line["path"]).name for line in lines) == [f"{n}.jpg" for n in range(COUNT)]
    assert {line["board"] for line in lines} == {"fake"}
    assert "wrong" not in output.read_text()
    events = [json.loads(line).get("event") for line in told.splitlines()]
    assert events.count("dropped") == 1
    assert "\x1b" not in told


def test_control_characters_do_not_come_to_a_terminal(a_hub: Hub, images: Path) -> None:
    def odd(parcel: Parcel) -> Result:
        if parcel.id == 0:
            error = ItemError("missing", f"no {CLEAR} file")
            return replace(tench(parcel), top5=None, error=error)
        return replace(tench(parcel), top5=(Prediction(1, f"a{CLEAR}b", 0.5),))

    with fake_board(a_hub.address, answer=odd):
        done = npu_farm("send", a_hub.address, str(images))
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == COUNT
    assert not {"\x1b", "\x07", "\r"} & set(done.stdout + done.stderr)
