"""`npu-farm send`: a real hub and sender; the boards are of this process, or none."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.fake_board import content, fake_board
from tests.helpers.hub import Hub, hub
from tests.helpers.programs import npu_farm

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
