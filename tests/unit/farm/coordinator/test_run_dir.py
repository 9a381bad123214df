from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from farm.coordinator.run_dir import RunDir
from farm.errors import StartError
from farm.system.folder_lock import SURELY_LOCKED_SECONDS
from workers.main import RUN_DIR_PREFIX


def aged(folder: Path) -> Path:
    """Let a folder look as if its run began long ago."""
    then = time.time() - 2 * SURELY_LOCKED_SECONDS
    os.utime(folder, (then, then))
    return folder


def left_behind(parent: Path, name: str) -> Path:
    folder = parent / f"{RUN_DIR_PREFIX}{name}"
    folder.mkdir(mode=0o700)
    for file in ("sink", "npu", "worker-11.3"):
        (folder / file).touch()
    return folder


def test_a_run_dir_is_private_and_goes_with_its_run(run_dirs: Path) -> None:
    run_dir = RunDir()
    assert Path(run_dir.path).parent == run_dirs
    assert Path(run_dir.path).stat().st_mode & 0o777 == 0o700
    run_dir.remove()
    assert list(run_dirs.iterdir()) == []


def test_what_a_killed_run_left_is_removed_by_the_next(run_dirs: Path) -> None:
    abandoned = aged(left_behind(run_dirs, "abandon_"))
    RunDir().remove()
    assert not abandoned.exists()


def test_folders_of_runs_that_live_or_just_begin_are_left_alone(run_dirs: Path) -> None:
    living = RunDir()
    aged(Path(living.path))
    beginning = left_behind(run_dirs, "beginnin")
    RunDir().remove()
    assert Path(living.path).exists()
    assert beginning.exists()
    living.remove()


def test_the_lock_goes_with_a_killed_process(run_dirs: Path) -> None:
    script = (
        "import os; from farm.coordinator.run_dir import RunDir; "
        "print(RunDir().path); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    folder = aged(next(run_dirs.iterdir()))
    assert done.returncode == -9
    RunDir().remove()
    assert not folder.exists()


def test_only_folders_named_like_a_runs_are_touched(run_dirs: Path) -> None:
    other = run_dirs / "my-data"
    other.mkdir()
    aged(other)
    target = run_dirs / "target"
    target.mkdir()
    link = run_dirs / f"{RUN_DIR_PREFIX}link"
    link.symlink_to(target)
    os.utime(link, (0, 0), follow_symlinks=False)
    RunDir().remove()
    assert other.exists()
    assert target.exists()
    assert link.is_symlink()


def test_folders_that_are_only_named_like_a_runs_stay_with_all_that_is_in_them(
    run_dirs: Path,
) -> None:
    longer = left_behind(run_dirs, "results")
    with_more = left_behind(run_dirs, "unpacked")
    (with_more / "photos").mkdir()
    with_own_file = left_behind(run_dirs, "projects")
    (with_own_file / "thesis.txt").touch()
    of_another_mode = left_behind(run_dirs, "children")
    of_another_mode.chmod(0o755)
    folders = [longer, with_more, with_own_file, of_another_mode]
    before = [sorted(aged(folder).iterdir()) for folder in folders]
    RunDir().remove()
    assert [sorted(folder.iterdir()) for folder in folders] == before


def test_a_long_temporary_folder_is_not_used(
    run_dirs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    long = run_dirs / ("x" * 90)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    run_dir = RunDir()
    assert Path(run_dir.path).parent == Path("/tmp")
    run_dir.remove()


def test_no_usable_temporary_folder_is_a_start_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> str:
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr("tempfile.gettempdir", none)
    with pytest.raises(StartError):
        RunDir()
