"""Signals that end a program, that are ignored, and that a bare `except:` has swallowed.

Each test has a process of its own: signal handlers belong to the whole process.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from textwrap import dedent

import pytest

from farm.system.signals import CAUGHT
from tests.helpers.support import ROOT

CODES = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]

# Whatever the tests have inherited: under `nohup`, SIGHUP is ignored here, too.
FRESH = """
import os, select, signal
from farm.system.signals import CAUGHT, Signals, check_exit_requested, exit_on_signals
for number in CAUGHT:
    signal.signal(number, signal.SIG_DFL)
"""
# The vendor's tool, in whose last step a signal comes; then the step does `{then}`.
TOOL = """
import sys
from pathlib import Path
from types import ModuleType
from farm.convert.rknn_toolkit import Toolkit

class Tool:
    def export_rknn(self, export_path):
        try:
            signal.raise_signal(signal.SIGTERM)
        except:
            print("swallowed")
        {then}

    def release(self):
        pass

sys.modules.update({{name: ModuleType(name) for name in ("onnx", "rknn", "rknn.api")}})
sys.modules["rknn.api"].RKNN = Tool
exit_on_signals()
with Toolkit(Path("net.onnx")) as tool:
    tool.export(Path("net.rknn"))
print("continued")
"""


def ended(script: str) -> tuple[int, str]:
    """Run a script; return its exit code and what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", FRESH + dedent(script)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,  # what the vendor's tool prints goes there
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize(("number", "code"), CODES)
def test_a_signal_ends_the_program_after_it_has_cleaned_up(
    number: signal.Signals, code: int
) -> None:
    script = f"""
        exit_on_signals()
        check_exit_requested()
        try:
            signal.raise_signal({number:d})
        finally:
            print("cleaned up")
    """
    assert ended(script) == (code, "cleaned up\n")


@pytest.mark.parametrize(("number", "code"), CODES)
def test_a_signal_that_was_swallowed_ends_the_program_where_that_is_checked(
    number: signal.Signals, code: int
) -> None:
    script = f"""
        exit_on_signals()
        try:
            signal.raise_signal({number:d})
        except:
            print("swallowed")
        check_exit_requested()
        print("continued")
    """
    assert ended(script) == (code, "swallowed\n")


def test_of_two_signals_that_were_swallowed_the_first_gives_the_exit_code() -> None:
    script = """
        exit_on_signals()
        for number in (signal.SIGTERM, signal.SIGINT):
            try:
                signal.raise_signal(number)
            except:
                print("swallowed")
        check_exit_requested()
    """
    assert ended(script) == (143, "swallowed\n" * 2)


@pytest.mark.parametrize("then", ["return 0", "return -1", "raise ValueError('Traceback ...')"])
def test_a_signal_that_the_vendors_tool_swallowed_ends_the_program(then: str) -> None:
    assert ended(TOOL.format(then=then)) == (143, "swallowed\n")


@pytest.mark.parametrize("ignored", CAUGHT)
def test_an_ignored_signal_ends_nothing_and_the_others_do(ignored: signal.Signals) -> None:
    other = next(number for number in CAUGHT if number != ignored)
    script = f"""
        signal.signal({ignored:d}, signal.SIG_IGN)
        exit_on_signals()
        signal.raise_signal({ignored:d})
        check_exit_requested()
        print("continued")
        signal.raise_signal({other:d})
    """
    assert ended(script) == (128 + other, "continued\n")


@pytest.mark.parametrize("ignored", CAUGHT)
def test_an_ignored_signal_is_not_received_and_stays_ignored(ignored: signal.Signals) -> None:
    script = f"""
        signal.signal({ignored:d}, signal.SIG_IGN)
        expected = [number for number in CAUGHT if number != {ignored:d}]
        with Signals() as signals:
            for number in CAUGHT:
                os.kill(os.getpid(), number)
            while signals.seen() < 2:
                select.select([signals.fd], [], [])
            print(sorted(signals.received) == sorted(expected))
        signal.raise_signal({ignored:d})
        print([number for number in CAUGHT if signal.getsignal(number) == signal.SIG_IGN])
    """
    assert ended(script) == (0, f"True\n{[ignored]}\n")


def test_other_signals_and_timers_are_the_programs() -> None:
    script = """
        signal.signal(signal.SIGALRM, lambda *_: print("alarm", flush=True))
        signal.setitimer(signal.ITIMER_REAL, 600)
        with Signals() as signals:
            signal.raise_signal(signal.SIGALRM)
        print(signals.received, signal.getitimer(signal.ITIMER_REAL)[0] > 500, flush=True)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        with Signals():
            signal.raise_signal(signal.SIGALRM)
    """
    assert ended(script) == (-signal.SIGALRM, "alarm\n[] True\n")


def test_what_was_there_before_is_back_afterwards() -> None:
    script = """
        import socket, threading
        _, woken = socket.socketpair()
        woken.setblocking(False)
        signal.set_wakeup_fd(woken.fileno())
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
        for _ in range(2):
            with Signals():
                pass
        print(signal.set_wakeup_fd(-1) == woken.fileno())
        print(signal.pthread_sigmask(signal.SIG_BLOCK, ()) == {signal.SIGUSR1})
        print({signal.getsignal(number) for number in CAUGHT} == {signal.SIG_DFL})
        # The kernel may still show threads that have been joined.
        print(len(os.listdir("/proc/self/fd")) <= 6, threading.active_count())
    """
    assert ended(script) == (0, "True\nTrue\nTrue\nTrue 1\n")


def test_a_forked_child_ends_by_a_signal_as_if_nobody_had_collected_them() -> None:
    script = """
        import warnings
        # Python 3.12 and later say that there is a thread, which is true.
        warnings.simplefilter("ignore", DeprecationWarning)
        with Signals() as signals:
            pid = os.fork()
            if pid == 0:
                while True:
                    signal.pause()
            os.kill(pid, signal.SIGTERM)
            print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), signals.received)
            os.kill(os.getpid(), signal.SIGTERM)
            select.select([signals.fd], [], [])
            print(signals.seen())
    """
    assert ended(script) == (0, "-15 []\n1\n")


def test_where_no_thread_can_be_started_the_limit_is_named_and_nothing_is_changed() -> None:
    script = """
        import threading
        from farm.errors import StartError
        def start(thread):
            raise RuntimeError("can't start new thread")
        threading.Thread.start = start
        files = os.listdir("/proc/self/fd")
        try:
            with Signals():
                print("entered")
        except StartError as error:
            print("ulimit -u" in str(error), os.listdir("/proc/self/fd") == files)
        print({signal.getsignal(number) for number in CAUGHT} == {signal.SIG_DFL})
    """
    assert ended(script) == (0, "True True\nTrue\n")
