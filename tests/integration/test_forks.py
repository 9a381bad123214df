"""Programs that fork while a farm is open: the child has no part in it.

Each test has a program of its own: a fork of pytest would run its remaining tests twice.
"""

from __future__ import annotations

import fcntl
import os
import sys
from pathlib import Path
from textwrap import dedent

from tests.helpers.programs import SIMULATED, Programs, read_until, run
from tests.helpers.support import children_of, fork_server_of, is_alive, wait_for

BEGIN = f"""
import multiprocessing, os, sys
from pathlib import Path
from farm import Farm, FarmError
from farm.config.loader import load
from farm.system.log import SILENT

IMAGES = sorted(Path(sys.argv[1]).iterdir())
SETTINGS = {{"runtime": "simulated", "size": 2, "cpu": "all", "simulated.service_ms": 1.0}}

def farm():
    return Farm(load(Path({SIMULATED[0]!r}), SETTINGS), log=SILENT)

def refused(use):
    '''Whether a use is refused in words.'''
    try:
        use()
    except FarmError as error:
        return "fork" in str(error)
    return False

def fork(work):
    '''Run `work` in a forked child to its end; return its exit code.'''
    pid = os.fork()
    if pid == 0:
        sys.exit(work())
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
"""


def program(script: str, folder: str) -> str:
    """Run a program to its end; return what it printed."""
    # Python 3.12 and later warn of a fork of any program that has threads, as ZeroMQ gives it.
    warnings = ("-W", "error::ResourceWarning", "-W", "ignore:This process:DeprecationWarning")
    done = run(sys.executable, *warnings, "-c", BEGIN + dedent(script), folder)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


USES = {
    "classify": "opened.classify(IMAGES)",
    "next": "next(results)",
    "poll": "results.poll()",
    "drain": "results.drain()",
    "plan": "opened.plan",
    "losses": "opened.losses",
    "bad_cores": "opened.bad_cores",
    "npu_load": "opened.npu_load()",
    "enter": "opened.__enter__()",
    "exit": "opened.__exit__(None, None, None)",
}


def takes(lock: int) -> bool:
    """Whether nobody else has the lock."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def test_each_use_in_a_forked_child_is_refused_and_the_parent_goes_on(
    folder: str, run_dirs: Path
) -> None:
    uses = ", ".join(f"{name}=lambda: {use}" for name, use in USES.items())
    script = f"""
        with farm() as opened, opened.classify(IMAGES) as results:
            first = next(results)
            def child():
                print([name for name, use in dict({uses}).items() if not refused(use)])
                results.close()
            code = fork(child)
            print(code, len(list(results)), opened.losses)
    """
    assert program(script, folder) == "[]\n0 71 0\n"
    assert list(run_dirs.iterdir()) == []


def test_a_forked_child_that_leaves_the_block_leaves_the_farm_to_its_parent(
    folder: str, run_dirs: Path
) -> None:
    script = """
        with farm() as opened:
            results = opened.classify(IMAGES)
            first = next(results)
            code = fork(lambda: 7)
            print(code, len(list(results)), opened.losses)
    """
    assert program(script, folder) == "7 71 0\n"
    assert list(run_dirs.iterdir()) == []


def test_a_forked_child_that_falls_out_of_the_block_is_told(folder: str) -> None:
    script = """
        def falls_out(opened, parent):
            try:
                with opened:
                    results = opened.classify(IMAGES)
                    pid = os.fork()
                    if pid:
                        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                        print(code, len(list(results)), opened.losses)
            except FarmError as error:
                os._exit(5 if "fork" in str(error) and os.getpid() != parent else 6)
        falls_out(farm(), os.getpid())
    """
    assert program(script, folder) == "5 72 0\n"


def test_a_forked_child_may_open_a_farm_of_its_own(folder: str, run_dirs: Path) -> None:
    script = """
        def child():
            with farm() as own:
                print(len(list(own.classify(IMAGES))), flush=True)
        with farm() as opened:
            results = opened.classify(IMAGES)
            first = next(results)
            print(fork(child), len(list(results)), opened.losses)
    """
    assert program(script, folder) == "72\n0 71 0\n"
    assert list(run_dirs.iterdir()) == []


def test_processes_and_pools_that_multiprocessing_forks_do_no_harm(
    folder: str, run_dirs: Path
) -> None:
    script = """
        def use(path):
            return refused(lambda: next(opened.classify([path])))
        with farm() as opened:
            results = opened.classify(IMAGES)
            first = next(results)
            fork = multiprocessing.get_context("fork")
            with fork.Pool(2) as pool:
                print(pool.map(use, IMAGES[:3]))
            process = fork.Process(target=use, args=(IMAGES[0],))
            process.start()
            process.join()
            print(process.exitcode, len(list(results)), opened.losses)
    """
    assert program(script, folder) == "[True, True, True]\n0 71 0\n"
    assert list(run_dirs.iterdir()) == []


def test_a_child_that_outlives_its_parent_keeps_neither_workers_nor_the_folder(
    folder: str, run_dirs: Path, programs: Programs
) -> None:
    script = """
        with farm() as opened:
            first = next(opened.classify(IMAGES))
            if os.fork() == 0:
                sys.stdin.read()
                print("child ends", flush=True)
            else:
                print("forked", flush=True)
                os.wait()
    """
    words = (sys.executable, "-c", BEGIN + dedent(script), folder)
    parent = programs.start(*words, stdin=-1)
    read_until(parent.stdout, "forked")
    (run_dir,) = run_dirs.iterdir()
    lock = os.open(run_dir, os.O_RDONLY)
    processes = [*children_of(parent.pid), fork_server_of(parent.pid)]
    parent.kill()
    assert wait_for(lambda: not any(map(is_alive, processes)))
    assert len(processes) == 3
    assert wait_for(lambda: not run_dir.exists())
    assert wait_for(lambda: takes(lock))  # an ended process closes one file after the other
    os.close(lock)
    assert parent.stdin is not None
    parent.stdin.close()
    read_until(parent.stdout, "child ends")


def test_a_fork_in_the_middle_of_a_start_keeps_nothing_of_it(
    folder: str, run_dirs: Path, programs: Programs
) -> None:
    script = """
        import subprocess, threading
        from farm.coordinator import fork_server

        class Slow(subprocess.Popen):
            def __init__(self, *words, **options):
                begun.set()
                super().__init__(*words, **options)

        def use():
            with farm() as opened:
                print(len(list(opened.classify(IMAGES))), flush=True)
                done.wait()

        begun, done = threading.Event(), threading.Event()
        fork_server.subprocess.Popen = Slow
        user = threading.Thread(target=use, daemon=True)
        user.start()
        begun.wait()
        if os.fork() == 0:
            sys.stdin.read()
        else:
            os.wait()
    """
    words = (sys.executable, "-W", "ignore", "-c", BEGIN + dedent(script), folder)
    parent = programs.start(*words, stdin=-1)
    read_until(parent.stdout, "72")
    processes = [*children_of(parent.pid), fork_server_of(parent.pid)]
    parent.kill()
    assert wait_for(lambda: not any(map(is_alive, processes)))
    assert wait_for(lambda: list(run_dirs.iterdir()) == [])
