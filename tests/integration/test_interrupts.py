"""Signals at any moment leave nothing half done, and the program's own handlers have effect."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from textwrap import dedent

import pytest

from farm.system.signals import CAUGHT
from tests.helpers import fuse
from tests.helpers.fuse_protocol import Op
from tests.helpers.programs import (
    FAST,
    NPU_FARM,
    PROGRAM,
    SIMULATED,
    SLOW,
    Programs,
    read_until,
    run,
)
from tests.helpers.support import PATIENCE, children_of, fork_server_of, is_alive, wait_for

BEGIN = f"""
import os, signal, sys, threading, time
from pathlib import Path
from farm import Farm, Run
from farm.config.loader import load
from farm.coordinator.coordinator import Coordinator
from farm.coordinator.fork_server import ForkServer
from farm.coordinator.run_dir import RunDir
from farm.system.log import SILENT

IMAGES = sorted(Path(sys.argv[1]).iterdir())
SETTINGS = {{"runtime": "simulated", "size": 2, "cpu": "all", "simulated.service_ms": 1.0}}
signal.signal(signal.SIGINT, signal.default_int_handler)

def farm(**changes):
    return Farm(load(Path({SIMULATED[0]!r}), {{**SETTINGS, **changes}}), log=SILENT)

def signal_in(kind, name, number=signal.SIGINT):
    '''Let a signal come when this method begins.'''
    method = getattr(kind, name)
    def interrupted(*words, **options):
        signal.raise_signal(number)
        return method(*words, **options)
    setattr(kind, name, interrupted)
"""

# Two moments in the midst of opening and closing: the methods that begin.
OPENING, RUNNING = "Coordinator.launch", "Run.poll"
MOMENTS = [
    (OPENING, "Coordinator.close"),
    ("ForkServer.fork", "Coordinator._stop_workers"),
    (RUNNING, "RunDir.remove"),
    (RUNNING, "ForkServer.close"),
    ("ForkServer.close", "RunDir.remove"),
]


def program(script: str, folder: str) -> tuple[int, str, str]:
    """Run a program to its end; return its exit code, its output, the last line of its errors."""
    done = run(sys.executable, "-c", BEGIN + dedent(script), folder)
    return done.returncode, done.stdout, "".join(done.stderr.splitlines()[-1:])


@pytest.mark.parametrize(("first", "second"), MOMENTS)
def test_two_interrupts_leave_nothing_in_a_program_that_goes_on(
    folder: str, run_dirs: Path, first: str, second: str
) -> None:
    script = f"""
        files = len(os.listdir("/proc/self/fd"))
        for kind, name in ({first.split(".")}, {second.split(".")}):
            signal_in(globals()[kind], name)
        try:
            with farm() as opened:
                list(opened.classify(IMAGES))
        except KeyboardInterrupt:
            print("interrupted")
        print(len(os.listdir("/proc/self/fd")) - files, os.listdir({str(run_dirs)!r}))
    """
    assert program(script, folder) == (0, "interrupted\n0 []\n", "")


def test_a_handler_that_does_not_raise_runs_during_the_start_and_the_farm_goes_up(
    folder: str,
) -> None:
    script = """
        signal.signal(signal.SIGUSR1, lambda *_: print("handled"))
        signal_in(Coordinator, "launch", signal.SIGUSR1)
        with farm() as opened:
            print("up", len(list(opened.classify(IMAGES))))
    """
    assert program(script, folder) == (0, "handled\nup 72\n", "")


def test_an_interrupt_ends_a_long_close_at_once(folder: str, run_dirs: Path) -> None:
    script = """
        with farm(drain_seconds=600, batch_seconds=600) as opened:
            for process in opened._up().coordinator.supervisor.slots.processes:
                os.kill(process.pid, signal.SIGSTOP)
            opened.classify(IMAGES).feed()
            threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    """
    assert program(script, folder) == (-signal.SIGINT, "", "KeyboardInterrupt")
    assert list(run_dirs.iterdir()) == []


def signals_rain(process: subprocess.Popen[str], numbers: list[signal.Signals]) -> None:
    """Send a hundred signals, one a millisecond or so, while a program runs."""
    chosen = random.Random(7).choices(numbers, k=100)  # noqa: S311 - no secret
    for number in chosen:
        if process.poll() is None:
            process.send_signal(number)
            time.sleep(0.001)


HARMLESS = [signal.SIGWINCH, signal.SIGCHLD, signal.SIGCONT]


@pytest.mark.parametrize("moment", ["start", "run"])
def test_a_hundred_signals_end_a_run_once(
    folder: str, run_dirs: Path, programs: Programs, moment: str
) -> None:
    process = programs.start(*PROGRAM, *SLOW, "-d", folder, "-r", "50")
    assert wait_for(lambda: list(run_dirs.iterdir()) != [])
    if moment == "run":
        read_until(process.stdout, "")
    signals_rain(process, [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, *HARMLESS])
    _, err = process.communicate(timeout=PATIENCE)
    # The last ones may find a program that has done all and is about to exit.
    assert process.returncode in {128 + n for n in CAUGHT} | {-n for n in CAUGHT}
    assert "Traceback" not in err
    assert err.count("stopped by a signal") == 1
    assert wait_for(lambda: list(run_dirs.iterdir()) == [])


@pytest.mark.parametrize(
    ("moment", "numbers"),
    [
        ("begin", [signal.SIGINT]),
        ("up", [signal.SIGINT]),
        ("up", [signal.SIGTERM, signal.SIGALRM, signal.SIGUSR1, signal.SIGHUP]),
    ],
)
def test_a_hundred_signals_to_a_python_program_leave_nothing(
    folder: str,
    run_dirs: Path,
    programs: Programs,
    moment: str,
    numbers: list[signal.Signals],
) -> None:
    script = """
        print("begin", flush=True)
        with farm(**{"simulated.service_ms": 50.0}) as opened:
            print("up", flush=True)
            list(opened.classify(IMAGES * 50))
    """
    process = programs.start(sys.executable, "-c", BEGIN + dedent(script), folder)
    read_until(process.stdout, moment)
    processes = [*children_of(process.pid)]
    signals_rain(process, [*numbers, *HARMLESS])
    process.communicate(timeout=PATIENCE)
    assert -process.returncode in numbers
    assert wait_for(lambda: list(run_dirs.iterdir()) == [])
    assert wait_for(lambda: not any(map(is_alive, processes)))


@pytest.mark.parametrize("entry", [(NPU_FARM,), PROGRAM])
def test_ctrl_c_while_the_command_line_is_imported_is_no_traceback(
    entry: tuple[str, ...], tmp_path: Path
) -> None:
    """It comes at the moment at which the first slow module is looked for."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os, signal, sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'click': os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Finder())\n"
    )
    done = run(*entry, "--help", env={**os.environ, "PYTHONPATH": str(tmp_path)}, timeout=PATIENCE)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


@pytest.mark.skipif(fuse.why_not() != "", reason=fuse.why_not())
def test_two_signals_end_a_run_that_the_kernel_does_not_let_go(
    folder: str, run_dirs: Path, programs: Programs
) -> None:
    """The same one twice, which the kernel keeps for the main thread as one."""
    script = (
        "import sys, farm.system.signals as signals\n"
        "from farm.cli.main import main\n"
        "signals.LAST_SECONDS = 0.3\n"
        "main('run', sys.argv[0])\n"
    )
    with fuse.fuse_mount() as mount:
        mount.hold("results.jsonl", operations=fuse.WRITE)
        words = (*FAST, "-d", folder, "-o", str(mount.path / "results.jsonl"))
        stuck = programs.start(sys.executable, "-c", script, *words)
        assert wait_for(lambda: [held.operation for held in mount.held()] == [Op.WRITE])
        processes = [*children_of(stuck.pid), fork_server_of(stuck.pid)]
        stuck.send_signal(signal.SIGINT)
        assert wait_for(lambda: not is_pending(stuck.pid, signal.SIGINT))
        stuck.send_signal(signal.SIGINT)
        assert wait_for(lambda: not any(map(is_alive, processes)))
        assert len(processes) == 4
        assert wait_for(lambda: list(run_dirs.glob("npu-farm-*")) == [])
        assert stuck.poll() is None
        mount.abort()
        assert stuck.wait(PATIENCE) == 128 + signal.SIGINT


def is_pending(pid: int, number: signal.Signals) -> bool:
    """Whether a signal to a process is not taken yet, by any of its threads."""
    status = Path(f"/proc/{pid}/status").read_text()
    (pending,) = re.findall(r"^ShdPnd:\t(\w+)", status, re.M)
    return bool(int(pending, 16) >> (number - 1) & 1)
