"""The table of bad images in docs/reliability.md, row by row, through real workers."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import pytest

from tests.helpers.odd_images import FILES, holding, jpeg
from tests.helpers.support import ROOT, children_of

TABLE = (
    (ROOT / "docs" / "reliability.md").read_text().partition("## Bad images")[2].split("\n## ")[0]
)
CONFIG = str(ROOT / "configs" / "rk3588.yaml")
SIMULATED = (CONFIG, "--runtime", "simulated", "-c", "all", "--set", "simulated.service_ms=1")
CLASSIFIED = "classified"
VANISHED = "file that vanishes while queued"
# Shown with a read that is interrupted: tests/unit/workers/images/test_file_reader.py.
CHANGED = "file written to while it is read"
NOT_AS_ROOT = "(not as root)"


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    given: str
    seen: str
    exit_code: int


ROWS = [
    Row(given, seen, int(code))
    for given, seen, code in re.findall(r"^\| (.+) \| (.+) \| (\d) \|$", TABLE, re.M)
]


@dataclass(frozen=True)
class Run:
    """What a run of the command line said of each path."""

    exit_code: int
    err: str
    results: dict[str, dict[str, Any]]
    paths: dict[str, str]


def run(folder: Path, paths: dict[str, str]) -> Run:
    """Classify `folder`, and those of `paths` that are elsewhere as a list."""
    output, listed = folder.with_name("results.jsonl"), folder.with_name("elsewhere.txt")
    elsewhere = [path for path in paths.values() if Path(path).name not in os.listdir(folder)]
    listed.write_text("".join(f"{path}\n" for path in elsewhere))
    targets = ("-d", str(folder), *(("-d", str(listed)) if elsewhere else ()))
    done = subprocess.run(
        [sys.executable, "-m", "farm.coordinator", *SIMULATED, "-o", str(output), *targets],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    return Run(done.returncode, done.stderr, {row["path"]: row for row in rows}, paths)


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One run of all files, each with its twin where OpenCV can read it: a PNG of its pixels."""
    folder = tmp_path_factory.mktemp("odd") / "images"
    folder.mkdir()
    paths = {given: str(make(folder)) for given, make in FILES.items()}
    for number, row in enumerate(ROWS):
        if row.seen == CLASSIFIED:
            # Under a plain name: imread crashes on one that is not UTF-8.
            plain = shutil.copy(paths[row.given], folder.with_name("plain.image"))
            pixels = cv2.imread(str(plain), cv2.IMREAD_COLOR)
            if pixels is not None:  # OpenCV 4.10 can't read GIF
                cv2.imwrite(str(folder / f"twin-{number}.png"), pixels)
                paths[f"twin of {row.given}"] = str(folder / f"twin-{number}.png")
    return run(folder, paths)


def seen_in(result: dict[str, Any]) -> str:
    error = result["error"]
    return CLASSIFIED if error is None else f"`{error['kind']}`: {error['message']}"


@pytest.mark.parametrize("row", [row for row in ROWS if row.given in FILES], ids=lambda r: r.given)
def test_a_row_of_the_table_is_what_the_user_sees(row: Row, everything: Run) -> None:
    if row.given.endswith(NOT_AS_ROOT) and os.geteuid() == 0:
        pytest.skip("root may read files of mode 000")
    result = everything.results[everything.paths[row.given]]
    if row.given == "animated GIF" and f"twin of {row.given}" not in everything.paths:
        assert seen_in(result).startswith("`not_an_image`")
        return
    assert seen_in(result) == row.seen
    assert row.exit_code == (0 if row.seen == CLASSIFIED else 1)
    if row.seen == CLASSIFIED:
        twin = everything.results[everything.paths[f"twin of {row.given}"]]
        assert result["top5"] == twin["top5"]
    else:
        assert result["top5"] is None


def test_the_table_has_every_file_and_every_row_has_its_file() -> None:
    assert [row.given for row in ROWS if row.given not in (VANISHED, CHANGED)] == list(FILES)


def test_all_of_them_together_end_each_once_and_kill_no_worker(everything: Run) -> None:
    assert everything.exit_code == 1
    assert len(everything.results) == len(everything.paths)
    assert "Workers lost" not in everything.err
    assert {row["attempts"] for row in everything.results.values()} == {1}


def test_without_the_bad_ones_the_exit_code_is_0(tmp_path: Path) -> None:
    good = [row.given for row in ROWS if row.seen == CLASSIFIED]
    folder = tmp_path / "images"
    folder.mkdir()
    # OpenCV 4.10 can't read GIF.
    paths = {given: str(FILES[given](folder)) for given in good if given != "animated GIF"}
    assert run(folder, paths).exit_code == 0


@pytest.fixture
def fed() -> Iterator[subprocess.Popen[str]]:
    """A farm of one worker that takes its paths from standard input."""
    process = subprocess.Popen(
        [sys.executable, "-m", "farm.coordinator", *SIMULATED, "-s", "1", "-d", "-"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    yield process
    process.kill()
    process.wait()


def test_a_file_that_vanishes_while_queued_is_missing(
    tmp_path: Path, fed: subprocess.Popen[str]
) -> None:
    path = holding("soon-gone.jpg", jpeg())(tmp_path)
    assert fed.stdin is not None
    assert fed.stdout is not None
    fed.stdin.write(f"{path}\n")
    fed.stdin.flush()
    assert fed.stdout.readline().startswith(f"{path}: simulated: ")
    (worker,) = children_of(fed.pid)
    os.kill(worker, signal.SIGSTOP)
    fed.stdin.write(f"{path}\n")
    fed.stdin.close()
    path.unlink()
    os.kill(worker, signal.SIGCONT)
    seen = next(row.seen for row in ROWS if row.given == VANISHED)
    assert fed.stdout.read() == f"{path}: error: {seen.replace('`', '')}\n"
    fed.stdout.close()
    assert fed.wait() == 1
