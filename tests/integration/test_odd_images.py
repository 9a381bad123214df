"""The table of bad images in docs/reliability.md, row by row, through real workers."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import pytest

from tests.helpers.odd_images import FILES, holding, jpeg
from tests.helpers.programs import PROGRAM, SIMULATED, Programs, command
from tests.helpers.support import PATIENCE, ROOT, children_of, once

TABLE = (
    (ROOT / "docs" / "reliability.md").read_text().partition("## Bad images")[2].split("\n## ")[0]
)
QUICK = (*SIMULATED, "--set", "simulated.service_ms=1")
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
    kind: str
    exit_code: int


ROWS = [
    Row(given, seen, seen.partition("`: ")[0].strip("`"), int(code))
    for given, seen, code in re.findall(r"^\| (.+) \| (.+) \| (\d) \|$", TABLE, re.M)
]


@dataclass(frozen=True)
class Run:
    """What a run of the command line said of each path."""

    exit_code: int
    results: dict[str, dict[str, Any]]
    paths: dict[str, str]


def run(folder: Path, paths: dict[str, str]) -> Run:
    """Classify `folder`, and those of `paths` that are elsewhere as a list."""
    output, listed = folder.with_name("results.jsonl"), folder.with_name("elsewhere.txt")
    elsewhere = [path for path in paths.values() if Path(path).name not in os.listdir(folder)]
    listed.write_text("".join(f"{path}\n" for path in elsewhere))
    targets = ("-d", str(folder), *(("-d", str(listed)) if elsewhere else ()))
    done = command(*QUICK, "-o", str(output), *targets)
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    return Run(done.returncode, {row["path"]: row for row in rows}, paths)


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One run of all files, each with its twin where OpenCV can read it: a PNG of its pixels."""
    folder = once(tmp_path_factory, "odd-images", run_all)
    return Run(**json.loads((folder / "run.json").read_text()))


def run_all(base: Path) -> None:
    folder = base / "images"
    folder.mkdir()
    paths = {given: str(make(folder)) for given, make in FILES.items()}
    for number, row in enumerate(ROWS):
        if row.kind == CLASSIFIED:
            # Under a plain name: imread crashes on one that is not UTF-8.
            plain = shutil.copy(paths[row.given], folder.with_name("plain.image"))
            pixels = cv2.imread(str(plain), cv2.IMREAD_COLOR)
            if pixels is not None:  # OpenCV 4.10 can't read GIF
                cv2.imwrite(str(folder / f"twin-{number}.png"), pixels)
                paths[f"twin of {row.given}"] = str(folder / f"twin-{number}.png")
    (base / "run.json").write_text(json.dumps(asdict(run(folder, paths))))


def kind_of(result: dict[str, Any]) -> str:
    error = result["error"]
    return CLASSIFIED if error is None else str(error["kind"])


@pytest.mark.parametrize("row", [row for row in ROWS if row.given in FILES], ids=lambda r: r.given)
def test_a_row_of_the_table_is_what_the_user_sees(row: Row, everything: Run) -> None:
    if row.given.endswith(NOT_AS_ROOT) and os.geteuid() == 0:
        pytest.skip("root may read files of mode 000")
    result = everything.results[everything.paths[row.given]]
    if row.given == "animated GIF" and f"twin of {row.given}" not in everything.paths:
        assert kind_of(result) == "not_an_image"
        return
    assert kind_of(result) == row.kind
    assert row.exit_code == (0 if row.kind == CLASSIFIED else 1)
    if row.kind == CLASSIFIED:
        twin = everything.results[everything.paths[f"twin of {row.given}"]]
        assert result["top5"] == twin["top5"]
    else:
        assert result["top5"] is None
        assert row.seen == f"`{row.kind}`: {result['error']['message']}"  # the page quotes it


def test_the_table_has_every_file_and_every_row_has_its_file() -> None:
    assert [row.given for row in ROWS if row.given not in (VANISHED, CHANGED)] == list(FILES)


def test_all_of_them_together_end_each_once_and_kill_no_worker(everything: Run) -> None:
    assert everything.exit_code == 1
    assert len(everything.results) == len(everything.paths)
    assert {row["attempts"] for row in everything.results.values()} == {1}


def test_without_the_bad_ones_the_exit_code_is_0(tmp_path: Path) -> None:
    good = [row.given for row in ROWS if row.kind == CLASSIFIED]
    folder = tmp_path / "images"
    folder.mkdir()
    # OpenCV 4.10 can't read GIF.
    paths = {given: str(FILES[given](folder)) for given in good if given != "animated GIF"}
    assert run(folder, paths).exit_code == 0


@pytest.fixture
def fed(programs: Programs) -> subprocess.Popen[str]:
    """A farm of one worker that takes its paths from standard input."""
    silent = {"stdin": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    return programs.start(*PROGRAM, *QUICK, "-s", "1", "-d", "-", **silent)


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
    kind = next(row.kind for row in ROWS if row.given == VANISHED)
    (line,) = fed.stdout.read().splitlines()
    assert line.startswith(f"{path}: error: {kind}: ")
    assert fed.wait(PATIENCE) == 1


def test_what_a_library_can_not_read_in_the_environment_aborts_nobody(tmp_path: Path) -> None:
    path, cache = holding("a.jpg", jpeg())(tmp_path), tmp_path / "cache"
    rubbish = dict.fromkeys(("OPENCV_IO_MAX_IMAGE_PIXELS", "OPENCV_TRACE"), "abc")
    variables = {**os.environ, **rubbish, "OMP_NUM_THREADS": "abc", "XDG_CACHE_HOME": str(cache)}
    done = command(*QUICK, "-d", str(path), env=variables)
    assert (done.returncode, done.stdout.count("simulated: ")) == (0, 1)
    # Without images the coordinator itself uses OpenCV, to draw some.
    assert command(*QUICK, "-q", env=variables).returncode == 0
