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
import signal
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
        with Signals() as signals:
            for number in CAUGHT:
                signal.raise_signal(number)
            print(signals.received == [number for number in CAUGHT if number != {ignored:d}])
        signal.raise_signal({ignored:d})
        print([number for number in CAUGHT if signal.getsignal(number) == signal.SIG_IGN])
    """
    assert ended(script) == (0, f"True\n{[ignored]}\n")
