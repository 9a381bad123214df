"""A coordinator killed at random moments, and resumed: each image is in the file exactly once."""

from __future__ import annotations

import json
import os
import random
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from tests.helpers.programs import FAST, PROGRAM, Programs
from tests.helpers.support import children_of, is_alive, wait_for

KILLS: Final = int(os.environ.get("KILLS", "4"))
REPEATS_PER_KILL: Final = 4
RESUMED: Final = (*PROGRAM, *FAST, "-q", "--resume")
SHORTEST_LINE: Final = 400  # bytes: the file will be longer than the images times this


def size_of(output: Path) -> int:
    return output.stat().st_size if output.exists() else 0


def moment(dice: random.Random, output: Path, target: int) -> Callable[[int], bool]:
    """A moment at random: in the middle of starting, or when the file has `target` bytes."""
    if dice.random() < 0.2:
        workers = dice.randint(1, 3)
        return lambda pid: len(children_of(pid)) >= workers
    return lambda _pid: size_of(output) >= target


def killed_at(fact: Callable[[int], bool], process: subprocess.Popen[str]) -> None:
    """Kill a coordinator once `fact` of its process id is true; its workers go, too."""
    assert wait_for(lambda: process.poll() is not None or fact(process.pid))
    workers = children_of(process.pid)
    process.kill()
    _, err = process.communicate()
    assert process.returncode == -9, err
    assert wait_for(lambda: not any(map(is_alive, workers)))


def pull_the_plug(dice: random.Random, output: Path) -> None:
    """Take some bytes off the end, as a power cut does now and then."""
    if size_of(output) and dice.random() < 0.5:
        os.truncate(output, max(0, size_of(output) - dice.randint(1, 3 * SHORTEST_LINE)))


@pytest.mark.timeout(300 + 30 * KILLS)
@pytest.mark.parametrize("seed", [int(os.environ.get("SEED", "1"))])
def test_each_image_is_in_the_file_once_however_often_the_run_is_killed(
    seed: int, renders: list[Path], tmp_path: Path, run_dirs: Path, programs: Programs
) -> None:
    output, repeat = tmp_path / "results.jsonl", KILLS * REPEATS_PER_KILL
    arguments = ("-d", str(renders[0].parent), "-r", str(repeat), "-o", str(output))
    dice = random.Random(seed)  # noqa: S311 - no secret
    step = repeat * len(renders) * SHORTEST_LINE // (KILLS + 1)
    for kill in range(KILLS):
        target = max(size_of(output) + 1, step * kill + dice.randrange(step))
        killed_at(moment(dice, output, target), programs.start(*RESUMED, *arguments))
        pull_the_plug(dice, output)
    last = programs.start(*RESUMED, *arguments)
    _, err = last.communicate()
    assert last.returncode == 0, err
    rows: list[dict[str, Any]] = [json.loads(line) for line in output.read_text().splitlines()]
    assert Counter(row["path"] for row in rows) == {str(path): repeat for path in renders}
    assert len({row["id"] for row in rows}) == len(rows)
    assert wait_for(lambda: list(run_dirs.iterdir()) == [])
