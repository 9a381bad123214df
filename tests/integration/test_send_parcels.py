"""How images travel to real boards: by path, through the store, smaller."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import pytest

from farm.api import Farm
from farm.cluster import names
from farm.cluster.access import Access
from farm.cluster.link import connect
from farm.cluster.messages import Parcel
from farm.cluster.roster import boards
from farm.cluster.streams import Limits, ensure
from farm.results.result import Result
from farm.sources.renders import write_renders
from tests.helpers.fake_board import fake_board, tench
from tests.helpers.hub import Hub, hub
from tests.helpers.hub_peers import board
from tests.helpers.programs import NPU_FARM, npu_farm
from tests.helpers.support import ROOT, wait_for
from workers.protocol.messages import ItemError

COUNT: Final = 12
PAYLOAD: Final = 1 << 20


@dataclass(frozen=True)
class Site:
    """A hub with a board, whose folder `there` has what the sender's `here` has."""

    hub: Hub
    here: Path
    there: Path


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    base = tmp_path_factory.mktemp("site")
    write_renders(base / "here/day", count=COUNT, seed=3)
    shutil.copytree(base / "here", base / "there")
    with (
        hub(base / "hub", max_payload=PAYLOAD) as running,
        board(running.address, "host", "-s", "1", "--by-path", str(base / "there")),
    ):
        assert wait_for(lambda: ask(running, "boards") == 1)
        yield Site(running, base / "here", base / "there")


def ask(running: Hub, what: str) -> int:
    """How many boards a hub has, or messages in one of its streams."""

    async def answer() -> int:
        client = await connect(Access(address=running.address), "test", lambda _: None)
        try:
            js = client.jetstream()
            if what == "boards":
                return len(await boards(js))
            return int((await js.stream_info(what)).state.messages)
        finally:
            await client.close()

    return asyncio.run(answer())


def sent(site: Site, output: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return npu_farm("send", site.hub.address, "-q", "-o", str(output), *words)


def lines(output: Path) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in output.read_text().splitlines()]
    return sorted(found, key=lambda line: str(line["path"]))


def answers(output: Path) -> dict[str, list[Any]]:
    return {line["path"]: line["top5"] for line in lines(output)}


def alone(images: Path, output: Path) -> dict[str, list[Any]]:
    """What one farm answers."""
    done = npu_farm("run", "host", "-s", "1", str(images), "--recursive", "-q", "-o", str(output))
    assert done.returncode == 0, done.stderr
    return answers(output)


def noise(path: Path, side: int) -> None:
    path.parent.mkdir(exist_ok=True)
    pixels = np.random.default_rng(0).integers(0, 255, (side, side, 3), np.uint8)
    assert cv2.imwrite(str(path), pixels)


def test_by_path_a_board_reads_its_own_files(site: Site, tmp_path: Path) -> None:
    (site.there / "day" / "only-there.jpg").write_bytes(b"")  # a board looks at no other files
    done = sent(
        site, tmp_path / "r.jsonl", "--recursive", str(site.here), "--by-path", str(site.here)
    )
    assert done.returncode == 0, done.stderr
    assert answers(tmp_path / "r.jsonl") == alone(site.here, tmp_path / "alone.jsonl")


def test_what_only_the_sender_has_is_missing_at_a_board(site: Site, tmp_path: Path) -> None:
    (folder := tmp_path / "other").mkdir()
    noise(folder / "only-here.png", 16)
    done = sent(site, tmp_path / "r.jsonl", str(folder), "--by-path", str(tmp_path))
    assert done.returncode == 1, done.stderr
    (line,) = lines(tmp_path / "r.jsonl")
    assert line["error"]["kind"] == "missing"
    assert line["board"] is not None


def test_an_image_beside_the_folder_is_an_error_at_the_sender(site: Site, tmp_path: Path) -> None:
    done = sent(
        site, tmp_path / "r.jsonl", "--recursive", str(site.here), "--by-path", str(tmp_path)
    )
    assert done.returncode == 1, done.stderr
    assert {line["error"]["kind"] for line in lines(tmp_path / "r.jsonl")} == {"outside"}
    assert len(lines(tmp_path / "r.jsonl")) == COUNT


def test_by_path_needs_a_board_that_opens_paths(site: Site, tmp_path: Path) -> None:
    with hub(tmp_path / "hub") as running, fake_board(running.address):
        words = ("--by-path", str(site.here), "--recursive", str(site.here))
        done = npu_farm("send", running.address, "-q", *words)
    assert done.returncode == 3
    assert "joined with --by-path" in done.stderr


def test_what_no_message_has_room_for_goes_through_the_store(site: Site, tmp_path: Path) -> None:
    images = tmp_path / "images"
    shutil.copytree(site.here / "day", images)
    for number in range(3):
        noise(images / f"large{number}.bmp", 700)  # 1.47 MB; a message has one
    done = sent(site, tmp_path / "r.jsonl", str(images))
    assert done.returncode == 0, done.stderr
    assert answers(tmp_path / "r.jsonl") == alone(images, tmp_path / "alone.jsonl")
    assert ask(site.hub, names.OBJECTS) == 0


def test_a_store_smaller_than_the_images_makes_the_sender_wait(site: Site, tmp_path: Path) -> None:
    for number in range(8):
        noise(tmp_path / f"images/large{number}.bmp", 700)
    limit(site.hub, 4 << 20)  # two of them, while a job has up to four
    try:
        done = sent(site, tmp_path / "r.jsonl", str(tmp_path / "images"))
    finally:
        limit(site.hub, Limits().objects_bytes)
    assert done.returncode == 0, done.stderr
    assert len(lines(tmp_path / "r.jsonl")) == 8
    assert ask(site.hub, names.OBJECTS) == 0


def limit(running: Hub, objects_bytes: int) -> None:
    async def work() -> None:
        client = await connect(Access(address=running.address), "test", lambda _: None)
        try:
            await ensure(client.jetstream(), Limits(objects_bytes=objects_bytes))
        finally:
            await client.close()

    asyncio.run(work())


def test_what_a_killed_sender_has_stored_is_taken_away_by_the_next(tmp_path: Path) -> None:
    for number in range(2):
        noise(tmp_path / f"images/large{number}.bmp", 700)
    output = tmp_path / "r.jsonl"

    def only_the_first(parcel: Parcel) -> Result:
        lazy.working.clear()
        return tench(parcel)

    def too_late(parcel: Parcel) -> Result:
        lazy.answer = tench
        return replace(tench(parcel), top5=None, error=ItemError("gone", ""))

    with (
        hub(tmp_path / "hub", max_payload=PAYLOAD) as running,
        fake_board(running.address, answer=only_the_first) as lazy,
    ):
        words = ("send", running.address, "-q", str(tmp_path / "images"), "-o", str(output))
        killed = subprocess.Popen([NPU_FARM, *words], cwd=ROOT)
        try:
            assert wait_for(lambda: len(lazy.jobs) == 2 and len(lines(output)) == 1)
            assert wait_for(lambda: ask(running, names.OBJECTS) == 6)  # of the other
        finally:
            killed.kill()
            killed.wait()
        lazy.answer = too_late
        lazy.working.set()
        assert wait_for(lambda: ask(running, names.RESULTS) >= 1)
        done = npu_farm(*words, "--resume")
        assert done.returncode == 0, done.stderr
        assert ask(running, names.OBJECTS) == 0
    assert [line["error"] for line in lines(output)] == [None, None]


def test_smaller_copies_answer_as_the_images(site: Site, tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    for path in (site.here / "day").iterdir():
        large = cv2.resize(np.asarray(cv2.imread(str(path))), None, fx=6, fy=6)
        assert cv2.imwrite(str(images / path.name), large)
    done = sent(site, tmp_path / "r.jsonl", str(images), "--shrink", "256")
    assert done.returncode == 0, done.stderr
    found, expected = answers(tmp_path / "r.jsonl"), alone(images, tmp_path / "alone.jsonl")
    assert [v[0]["class"] for v in found.values()] == [v[0]["class"] for v in expected.values()]


def test_boxes_in_smaller_copies_are_in_pixels_of_the_image(tmp_path: Path) -> None:
    with Farm.from_config("detect", {"size": 1}) as farm:
        found = list(farm.classify(scene(tmp_path / "images")))
    with hub(tmp_path / "hub") as running, board(running.address, "detect", "-s", "1"):
        assert wait_for(lambda: ask(running, "boards") == 1)
        output = tmp_path / "r.jsonl"
        words = ("-q", str(tmp_path / "images"), "-o", str(output), "--shrink", "320")
        done = npu_farm("send", running.address, *words)
    assert done.returncode == 0, done.stderr
    (line,) = lines(output)
    (plain,) = found
    assert plain.objects
    assert line["size"] == list(plain.size or ())
    assert len(line["objects"]) == len(plain.objects)
    across = sorted(line["objects"], key=lambda each: float(each["box"][0]))
    wanted = sorted(plain.objects, key=lambda each: each.box[0])
    for seen, expected in zip(across, wanted, strict=True):
        assert seen["class"] == expected.class_id
        assert np.allclose(seen["box"], expected.box, atol=0.02 * max(line["size"]))


def scene(folder: Path) -> list[Path]:
    """A picture with objects, 1,280 pixels wide."""
    done = npu_farm("render", str(folder), "--scenes", "-n", "1")
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("*.[jp]*g")
    image = np.asarray(cv2.imread(str(path)))
    large = cv2.resize(image, None, fx=1280 / image.shape[1], fy=1280 / image.shape[1])
    assert cv2.imwrite(str(path), large)
    return [path]
