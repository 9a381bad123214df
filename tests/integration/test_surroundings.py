"""Machines and shells that lack something: a farm runs without it, or says what it needs."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers.programs import FAST, NPU_FARM, PROGRAM, SIMULATED, missing, run

NO_PROC = "mount -t tmpfs none /proc"
READ_ONLY_PROC = "mount --bind /proc /proc && mount -o remount,bind,ro /proc"
TOO_LITTLE = {"ulimit -v": 512 - 1, "ulimit -d": 192 - 1}  # MB

Within = Callable[[str], tuple[str, ...]]


@pytest.fixture
def within() -> Within:
    """Words that run a program after a command in a mount namespace of its own."""

    def words(mount: str) -> tuple[str, ...]:
        return ("unshare", "-m", "sh", "-c", f'{mount} && exec "$@"', "sh")

    tried = run(*words(NO_PROC), "true")
    if tried.returncode:
        pytest.skip(f"this needs root, to mount: {tried.stderr.strip()}")
    return words


def test_a_farm_runs_without_proc_and_says_once_what_is_not_watched(
    folder: str, run_dirs: Path, within: Within
) -> None:
    done = run(*within(NO_PROC), *PROGRAM, *FAST, "-d", folder)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 72
    assert done.stderr.count("max_worker_mb") == 1
    assert list(run_dirs.iterdir()) == []


def test_a_farm_runs_where_proc_is_read_only(folder: str, within: Within) -> None:
    done = run(*within(READ_ONLY_PROC), *PROGRAM, *FAST, "-d", folder)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 72
    assert "/proc" not in done.stderr


def test_a_benchmark_without_proc_says_what_it_needs(folder: str, within: Within) -> None:
    done = run(*within(NO_PROC), NPU_FARM, "bench", *SIMULATED, "-d", folder, "--rounds", "1")
    assert done.returncode == 1
    assert missing(("CPU times", "/proc"), done.stderr.splitlines()[-1]) == []
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("limit", TOO_LITTLE)
def test_too_little_address_space_is_said_before_anything_is_loaded(
    folder: str, run_dirs: Path, limit: str
) -> None:
    limited = ("sh", "-c", f'{limit} {TOO_LITTLE[limit] * 1024}; exec "$@"', "sh")
    done = run(*limited, *PROGRAM, *FAST, "-d", folder)
    assert (done.returncode, len(done.stderr.splitlines())) == (3, 1)
    assert missing((limit, str(TOO_LITTLE[limit])), done.stderr) == []
    assert list(run_dirs.iterdir()) == []


def test_a_program_with_too_little_address_space_is_told_too() -> None:
    script = "try:\n    from farm import Farm\nexcept Exception as error: print(error.exit_code)"
    limited = ("sh", "-c", 'ulimit -v 60000; exec "$@"', "sh")
    assert run(*limited, sys.executable, "-c", script).stdout == "3\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can drop root")
def test_a_program_that_drops_root_while_its_farm_is_up_is_told_and_leaves_nothing(
    folder: str, run_dirs: Path
) -> None:
    script = """
import os, sys
from farm import Farm, FarmError
from farm.sources.files import list_files
images = list_files(sys.argv[1])
values = {"runtime": "simulated", "npu_cores": [0], "size": 2, "cpu": "all", "drain_seconds": 1}
with Farm.from_config("rk3588", values) as farm:
    print(*(slot.process.pid for slot in farm._running.coordinator.supervisor.slots))
    os.setuid(65534)
    try:
        list(farm.classify(images))
    except FarmError:
        raise LookupError("theirs") from None
"""
    done = run(sys.executable, "-c", script, folder)
    assert done.stderr.splitlines()[-1] == "LookupError: theirs"
    assert done.stderr.count("Traceback") == 1
    assert [pid for pid in done.stdout.split() if os.path.exists(f"/proc/{pid}")] == []
    assert list(run_dirs.iterdir()) == []


@pytest.mark.parametrize("inodes", [2, 3])
def test_no_room_for_the_sockets_is_said_at_once(
    folder: str, run_dirs: Path, within: Within, inodes: int
) -> None:
    full = within(f"mount -t tmpfs -o nr_inodes={inodes} none {run_dirs}")
    done = run(*full, *PROGRAM, *FAST, "-d", folder)
    assert done.returncode == 3
    assert os.strerror(errno.ENOSPC) in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_no_room_for_a_copy_ends_the_run_with_words(
    folder: str, tmp_path: Path, within: Within
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    full = within(f"mount -t tmpfs -o size=64k none {out}")
    done = run(*full, *PROGRAM, *FAST, "-q", "-d", folder, "--annotate", str(out))
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert missing(("--annotate", str(out), os.strerror(errno.ENOSPC)), last) == []
    assert "Traceback" not in done.stderr
