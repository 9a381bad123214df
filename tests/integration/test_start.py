"""What a start loads, and what an end leaves out: both take most of a short run's time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from farm import Farm
from tests.helpers.programs import HOST, PROGRAM, SIMULATED
from tests.helpers.support import ROOT, children_of, simulated

COMMAND_LINE = """
import json, sys
from farm.cli.main import main
sys.argv[0] = "npu-farm"
try:
    main()
finally:
    json.dump(sorted(sys.modules), sys.stderr)
"""
# What Python runs first in each process. Only its own end comes to what is registered.
TELL_ENDS = """
import atexit, os
def tell():
    with open("/proc/self/comm") as comm, open(os.environ["ENDS"], "a") as ends:
        ends.write(comm.read())
atexit.register(tell)
"""
PICTURES = {"cv2", "numpy", "simplejpeg"}
WHERE_USED = {"jinja2", "onnxruntime", "psutil", "rich"}
FARM = {"msgspec", "pydantic", "yaml", "zmq"}


def loaded_by(*words: str) -> set[str]:
    """Return the modules that a command has loaded at its end."""
    done = subprocess.run(
        [sys.executable, "-c", COMMAND_LINE, *words],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    modules: list[str] = json.loads(done.stderr[done.stderr.rindex("[") :])
    return set(modules)


@pytest.mark.parametrize("words", [(HOST, "-s", "1"), SIMULATED])
def test_a_coordinator_that_reads_paths_loads_nothing_for_pictures(
    words: tuple[str, ...], renders: list[Path]
) -> None:
    loaded = loaded_by("run", *words, *map(str, renders[:3]))
    assert loaded & (PICTURES | WHERE_USED) == set()
    assert loaded >= FARM
    # Of a measurement, and of the words for mistakes.
    assert loaded & {"statistics", "farm.report.data", "farm.config.expected"} == set()


@pytest.mark.parametrize("words", [("--help",), ("--version",), ("run", "--help")])
def test_help_and_version_load_no_farm(words: tuple[str, ...]) -> None:
    assert loaded_by(*words) & (FARM | PICTURES | WHERE_USED) == set()


def test_workers_are_forked_with_their_libraries_and_none_of_the_coordinators() -> None:
    script = (
        "import json, sys, workers.forkserver as server; assert server.preload() == '';"
        "json.dump(sorted(sys.modules), sys.stdout)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert loaded >= {*PICTURES, "msgspec", "workers.loop", "zmq"}
    assert loaded & {*WHERE_USED, "click", "pydantic", "yaml"} == set()


@pytest.mark.parametrize("said", [None, "4"])
def test_a_workers_threads_share_one_heap_unless_its_user_wants_more(
    said: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    if said is not None:
        monkeypatch.setenv("MALLOC_ARENA_MAX", said)
    with Farm(simulated(size=1)):
        (worker,) = children_of(os.getpid())
        environment = Path(f"/proc/{worker}/environ").read_bytes().split(b"\0")
    assert f"MALLOC_ARENA_MAX={said or 1}".encode() in environment


def test_workers_end_at_once_when_all_is_closed(renders: list[Path], tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(TELL_ENDS)
    ends = tmp_path / "ends"
    paths = os.pathsep.join((str(tmp_path), os.environ.get("PYTHONPATH", "")))
    subprocess.run(
        [*PROGRAM, *SIMULATED, "-s", "3", *map(str, renders[:3])],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": paths, "ENDS": str(ends)},
        capture_output=True, check=True,
    )  # fmt: skip
    told = ends.read_text().splitlines()
    assert "npu-farm-forks" in told
    assert not [name for name in told if name.startswith("worker-")]
