"""What is left when the coordinator is killed: nothing, whatever its workers are in."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.helpers.programs import PROGRAM, Programs
from tests.helpers.stage import Stage
from tests.helpers.support import (
    ROOT,
    children_of,
    fork_server_of,
    is_alive,
    wait_for,
)


def test_workers_in_a_call_that_lets_no_thread_run_end_with_a_killed_coordinator(
    stage: Stage, programs: Programs, folder: str, run_dirs: Path
) -> None:
    """The thread that waits for the coordinator's end can't run."""
    stage.arm(1, "infer", "hang with the GIL", after=3)
    config = [str(ROOT / "configs" / "rk3588.yaml"), "-r", "100", "--runtime", "rknn"]
    program = programs.start(
        *PROGRAM, *config, "-c", "all", "-s", "3", "-m", str(stage.model), folder, cwd=ROOT
    )
    assert wait_for((stage.faults / "worker-1.hangs").exists)
    left = [*children_of(program.pid), fork_server_of(program.pid)]
    assert len(left) == 4
    os.kill(program.pid, signal.SIGKILL)
    program.wait()
    assert wait_for(lambda: not any(map(is_alive, left)), within=20)
    assert wait_for(lambda: list(run_dirs.iterdir()) == [])
