"""`npu-farm top` in a terminal: what it shows of real farms, and how it leaves."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from farm.watch import running
from tests.helpers.emulator import CURSOR, GIVEN_BACK, TAKEN, Emulator, emulator, in_terminal
from tests.helpers.programs import FAST, NPU_FARM, Programs
from tests.helpers.support import wait_for

# Farms of other tests are in /tmp, too.
TOP = (
    "import os, sys; from farm.watch import running; running.USUAL = os.environ['TMPDIR'];"
    "sys.argv[0] = 'npu-farm'; from farm.cli.main import main; main()"
)
WORDS = (sys.executable, "-c", TOP, "top")
pytestmark = pytest.mark.usefixtures("run_dirs")
Start = Callable[[], "subprocess.Popen[str]"]


@pytest.fixture
def farm(
    programs: Programs, folder: str, run_dirs: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Start]:
    """Starts a farm of 3 workers on a simulated NPU that goes on until it is ended."""
    monkeypatch.setattr(running, "USUAL", str(run_dirs))
    words = (NPU_FARM, "run", *FAST, "-q", "-r", "1000000", folder)

    def start() -> subprocess.Popen[str]:
        started = programs.start(*words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert wait_for(lambda: started.pid in map(running.process_of, running.running()))
        return started

    yield start
    programs.end()


@pytest.fixture
def terminal() -> Iterator[Emulator]:
    with emulator() as opened:
        yield opened


def top(programs: Programs, terminal: Emulator, *words: str, **env: str) -> subprocess.Popen[str]:
    return programs.start("setsid", "-c", *WORDS, *words, **in_terminal(terminal.there, **env))


def once(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*WORDS, "--once", *words], capture_output=True, text=True, check=False, timeout=120
    )


def workers(lines: list[str]) -> list[str]:
    """Return which workers have a row."""
    return [line.split()[0] for line in lines if re.match(r"\d+ +(up|starting) ", line)]


def given_back(terminal: Emulator) -> bool:
    """Whether the cursor and what was there before have come back."""
    return terminal.raw.rfind(CURSOR + GIVEN_BACK) > terminal.raw.rfind(TAKEN)


def test_a_farm_fits_into_80_columns_and_24_lines(
    programs: Programs, farm: Start, terminal: Emulator
) -> None:
    pid = farm().pid
    top(programs, terminal)
    terminal.shows(f"pid {pid}", "SIMULATED NPU", "simulated NPU 2", "latency", "q: leave")
    terminal.until(lambda: workers(terminal.lines) == list("012"))
    assert "…" not in terminal.lines[0]


@pytest.mark.parametrize(
    ("how", "code"),
    [("q", 0), ("\x03", 130), ("\x1c", 131), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
    ids=["q", "Ctrl-C", "Ctrl-backslash", "SIGTERM", "SIGHUP"],
)
def test_a_terminal_is_left_as_it_was(
    how: str | signal.Signals, code: int, programs: Programs, terminal: Emulator
) -> None:
    before = terminal.modes
    program = top(programs, terminal)
    terminal.shows("no farm runs here")
    assert terminal.modes != before
    if isinstance(how, str):
        terminal.type(how)
    else:
        program.send_signal(how)
    assert program.wait() == code
    terminal.until(lambda: given_back(terminal))
    assert terminal.modes == before


def test_ctrl_z_gives_the_terminal_back_until_the_program_goes_on(
    programs: Programs, terminal: Emulator
) -> None:
    before = terminal.modes
    program = top(programs, terminal)
    terminal.shows("no farm runs here")
    terminal.type("\x1a")
    terminal.until(lambda: given_back(terminal))
    assert os.waitid(os.P_PID, program.pid, os.WSTOPPED | os.WNOWAIT) is not None
    assert terminal.modes == before
    program.send_signal(signal.SIGCONT)
    terminal.until(lambda: terminal.raw.count(TAKEN) == 2)
    terminal.type("q")
    assert program.wait() == 0
    assert terminal.modes == before


def test_a_terminal_that_takes_nothing_keeps_nobody(programs: Programs, terminal: Emulator) -> None:
    program = top(programs, terminal)
    terminal.shows("no farm runs here")
    termios.tcflow(terminal.there, termios.TCOOFF)
    program.send_signal(signal.SIGTERM)
    assert program.wait() in {143, -signal.SIGALRM}


def test_a_picture_has_the_size_of_the_terminal(
    programs: Programs, farm: Start, terminal: Emulator
) -> None:
    farm()
    top(programs, terminal, COLUMNS="80", LINES="24")
    terminal.shows("infer ms")
    assert "inferring" not in terminal.text
    terminal.resize(120, 30)
    terminal.shows("inferring")
    terminal.resize(40, 11)
    terminal.shows("3 workers")
    assert all(len(line) <= 40 for line in terminal.lines)


@pytest.mark.parametrize("no_color", [None, "1"])
def test_colours_are_left_out_on_request(
    no_color: str | None, programs: Programs, farm: Start, terminal: Emulator
) -> None:
    farm()
    top(programs, terminal, **({} if no_color is None else {"NO_COLOR": no_color}))
    terminal.shows("simulated NPU 0", " up ")
    assert (terminal.colours == {"default"}) is (no_color is not None)


def test_of_two_farms_one_is_asked_for(programs: Programs, farm: Start, terminal: Emulator) -> None:
    pids = sorted((farm().pid, farm().pid))
    refused = top(programs, terminal)
    terminal.shows("which farm")
    terminal.type("\x04")  # Ctrl-D: no answer is no choice
    assert refused.wait() == 2
    program = top(programs, terminal)
    terminal.until(lambda: terminal.raw.count("which farm") == 2)
    line = next(line for line in terminal.lines if f" {pids[1]} " in line)
    terminal.type(f"{line.split()[0]}\n")
    terminal.shows(f"pid {pids[1]}", "rate")
    terminal.type("q")
    assert program.wait() == 0


def test_who_can_not_be_asked_is_told_to_name_one(farm: Start) -> None:
    pids = sorted((farm().pid, farm().pid))
    refused = once()
    assert (refused.returncode, refused.stdout) == (2, "")
    assert [pid for pid in ("--pid", *map(str, pids)) if pid not in refused.stderr] == []
    shown = once("--json", "--pid", str(pids[1]))
    assert json.loads(shown.stdout)["farm"]["pid"] == pids[1]


def test_the_last_picture_stays_until_another_farm_starts(
    programs: Programs, farm: Start, terminal: Emulator
) -> None:
    first = farm()
    top(programs, terminal)
    terminal.shows(f"pid {first.pid}", "rate")
    first.terminate()
    terminal.shows("this farm has ended", f"pid {first.pid}", "simulated NPU 0")
    second = farm()
    terminal.shows(f"pid {second.pid}")
    assert "ended" not in terminal.text


def test_a_farm_that_was_named_is_the_only_one(
    programs: Programs, farm: Start, terminal: Emulator
) -> None:
    started = farm()
    program = top(programs, terminal, "--pid", str(started.pid))
    terminal.shows(f"pid {started.pid}", "rate")
    started.terminate()
    assert program.wait() == 0
    terminal.until(lambda: given_back(terminal) and "latency" in terminal.raw.split(GIVEN_BACK)[1])
    assert "this farm has ended" in terminal.raw.split(GIVEN_BACK)[1]


def test_a_farm_whose_program_stands_still_is_shown_with_its_age(
    programs: Programs, farm: Start, terminal: Emulator
) -> None:
    started = farm()
    top(programs, terminal)
    terminal.shows("rate")
    started.send_signal(signal.SIGSTOP)
    terminal.shows("nothing new for", "simulated NPU 0")
    started.send_signal(signal.SIGCONT)
    terminal.until(lambda: "nothing new for" not in terminal.text)


def test_a_board_is_shown_until_a_farm_starts(
    programs: Programs, farm: Start, terminal: Emulator
) -> None:
    top(programs, terminal)
    terminal.shows("no farm runs here", "CPU 0", "memory")
    started = farm()
    terminal.shows(f"pid {started.pid}")


def test_one_picture_has_all_workers_and_is_plain_in_a_file(farm: Start) -> None:
    pid = farm().pid
    shown = once()
    assert shown.returncode == 0
    assert f"pid {pid}" in shown.stdout
    assert "SIMULATED NPU" in shown.stdout
    assert "\x1b" not in shown.stdout
    assert workers(shown.stdout.splitlines()) == list("012")


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_one_picture_of_a_board(words: tuple[str, ...]) -> None:
    shown = once(*words)
    assert shown.returncode == 0
    if words:
        told = json.loads(shown.stdout)
        assert told["farm"] is None
        assert told["board"]["memory_mb"] > 0
    else:
        assert "no farm runs here" in shown.stdout


def test_a_process_without_a_farm_is_none() -> None:
    refused = once("--pid", str(os.getpid()))
    assert refused.returncode == 2
    assert f"--pid {os.getpid()}" in refused.stderr


def test_what_is_no_terminal_can_have_one_picture() -> None:
    refused = subprocess.run(WORDS, capture_output=True, text=True, check=False, timeout=120)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--once" in refused.stderr


def test_json_is_of_one_picture() -> None:
    refused = subprocess.run([*WORDS, "--json"], capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "--once" in refused.stderr
