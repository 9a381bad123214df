"""What snapshots cost a run: without a viewer, with ten, with one that never reads, in turns.

    python -m tests.benchmarks.snapshots

Prints a table for docs/performance.md. The NPU is simulated.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from farm.watch.running import running
from farm.watch.viewer import Viewer
from tests.benchmarks.__main__ import found
from tests.benchmarks.npu import RK3588, Npu
from tests.benchmarks.running import Run, ended, spent, spread, start, table
from tests.helpers.support import PATIENCE

NOBODY: Final = "nobody"
STOPPED: Final = "a viewer that never reads"
SEEN: Final = "seen"
VIEWERS: Final = {NOBODY: 0, "10 viewers": 10, STOPPED: 1}
HEAD: Final = ("who looks", "images/s", "of the run beside it without", "CPU ms per image")


def main() -> int:
    """Run everybody's turn, so many times over."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.snapshots")
    parser.add_argument("--images", type=int, default=4000, help="of each run")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--npu", type=Npu.parse, default=Npu.parse(RK3588), help="CORESxMS")
    asked = parser.parse_args()
    what, photos = found(None)
    repeat = max(1, asked.images // len(photos))
    turns = list(VIEWERS)
    runs: dict[str, list[Run]] = {who: [] for who in turns}
    for number in range(asked.rounds):
        for who in turns if number % 2 else reversed(turns):
            runs[who].append(run := measured(who, photos, repeat, asked.npu))
            told = f"{run.rate:.0f} images/s, {run.cpu_ms:.3f} ms of CPU each"
            print(f"round {number + 1}: {who}: {told}", file=sys.stderr, flush=True)
    npu = f"simulated NPU of {asked.npu.cores} x {asked.npu.service_ms} ms"
    print(
        f"Runs of {repeat * len(photos)} images ({what}), {asked.rounds} of each in turns, {npu};"
    )
    print("medians, and from lowest to highest.\n")
    alone = runs[NOBODY]
    print(table(HEAD, [row(who, each, alone) for who, each in runs.items()]))
    return 0


def measured(who: str, photos: Sequence[str], repeat: int, npu: Npu) -> Run:
    """Measure a run while these viewers look at it."""
    before = spent()
    with tempfile.TemporaryDirectory(prefix="snapshots-") as folder:
        run = start(photos, repeat, npu, env={**os.environ, "TMPDIR": folder})
        viewer = look(folder, VIEWERS[who], stop=who == STOPPED) if VIEWERS[who] else None
        figures = ended(run, repeat * len(photos), before)
        if viewer is not None:
            os.kill(viewer, signal.SIGKILL)
            os.waitpid(viewer, 0)
            assert Path(folder, SEEN).exists(), "the viewers have seen no snapshot"
    return figures


def look(folder: str, viewers: int, *, stop: bool) -> int:
    """Fork a process that looks at the farm in `folder`, so many times at once; return its number.

    Once all have received a snapshot, it makes the file SEEN there, and with `stop` stops itself.
    """
    pid = os.fork()
    if pid:
        return pid
    tempfile.tempdir = folder
    with suppress(BaseException):  # nothing of the parent's runs in this process
        while not farms_in(folder):
            time.sleep(0.1)  # seldom: it takes CPU from the run that is measured
        looking = [Viewer(farms_in(folder)[0]) for _ in range(viewers)]
        while all(viewer.receive(PATIENCE) is not None for viewer in looking):
            Path(folder, SEEN).touch()
            if stop:
                os.kill(os.getpid(), signal.SIGSTOP)
    os._exit(1)


def farms_in(folder: str) -> list[str]:
    """Return where farms whose private folder is in `folder` publish their snapshots."""
    return [address for address in running() if folder in address]


def row(who: str, runs: Sequence[Run], alone: Sequence[Run]) -> tuple[str, ...]:
    """Return the cells of these viewers' row."""
    ratios = [run.rate / other.rate for run, other in zip(runs, alone, strict=True)]
    rates, cpu = [run.rate for run in runs], [run.cpu_ms for run in runs]
    return who, spread(rates, ".0f"), spread(ratios, ".3f"), spread(cpu, ".3f")


if __name__ == "__main__":
    sys.exit(main())
