"""An output whose disk or share goes away: words where it fails, an end where it never answers.

FUSE mounts stand for a frozen file system (fsfreeze), a disk or a share that is gone. Of a write
that never answers, see test_interrupts.
"""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.helpers import fuse
from tests.helpers.fuse import FuseMount
from tests.helpers.fuse_protocol import Op
from tests.helpers.programs import FAST, PROGRAM, Programs, missing
from tests.helpers.support import PATIENCE, children_of, is_alive, wait_for
from workers.main import RUN_DIR_PREFIX

SOON: Final = (
    "import farm.system.signals as i; i.LAST_SECONDS = 0.1; from farm.cli.main import main; main()"
)


@pytest.fixture
def mount() -> Iterator[FuseMount]:
    if reason := fuse.why_not():
        pytest.skip(reason)
    with fuse.fuse_mount() as mount:
        yield mount


def pending(pid: int) -> int:
    """The signals that a process has been sent, and has not taken."""
    found = re.search(r"^ShdPnd:\s*(\w+)$", Path(f"/proc/{pid}/status").read_text(), re.M)
    assert found is not None
    return int(found[1], 16)


@pytest.mark.parametrize("operation", [Op.WRITE, Op.FSYNC, Op.FLUSH])
def test_a_disk_that_goes_away_is_told_whenever_it_tells(
    folder: str, programs: Programs, mount: FuseMount, operation: Op
) -> None:
    """FLUSH is what close(2) asks for: on NFS, only that may tell of a full disk."""
    mount.hold("r.jsonl", operations=(operation,))
    output = str(mount.path / "r.jsonl")
    run = programs.start(*PROGRAM, *FAST, "-d", folder, "-o", output)
    assert wait_for(lambda: bool(mount.held()))
    mount.abort()
    _, said = run.communicate(timeout=PATIENCE)
    assert run.returncode == 1
    assert missing((f"--output {output}: cannot write: ",), said) == []
    assert "Traceback" not in said


@pytest.mark.parametrize("operation", [Op.FSYNC, Op.FLUSH])
def test_after_a_second_signal_the_workers_and_the_folder_are_gone(
    folder: str, run_dirs: Path, programs: Programs, mount: FuseMount, operation: Op
) -> None:
    mount.hold("r.jsonl", operations=(operation,))
    output = str(mount.path / "r.jsonl")
    run = programs.start(sys.executable, "-c", SOON, "run", *FAST, "-d", folder, "-o", output)
    assert wait_for(lambda: bool(mount.held()))
    workers = children_of(run.pid)
    for _ in range(2):  # Ctrl-C twice
        run.send_signal(signal.SIGINT)
        assert wait_for(lambda: not pending(run.pid))
    assert wait_for(lambda: not any(map(is_alive, workers)))
    assert wait_for(lambda: not list(run_dirs.glob(f"{RUN_DIR_PREFIX}*")))
    mount.answer()
    assert run.wait(PATIENCE) == 128 + signal.SIGINT
    assert len(workers) == 3
