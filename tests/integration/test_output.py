"""Outputs that fill up, fail, vanish, or are not read: nothing written is lost, nobody hangs."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import select
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from farm.errors import OutputError
from farm.results.answer_format import format_of
from farm.results.resume_index import ResumeIndex
from farm.results.writers import open_writer
from farm.system.fd_writer import WriteDeadline
from tests.helpers.programs import FAST, PROGRAM, Programs, missing, run
from tests.helpers.support import PATIENCE, children_of, is_alive, wait_for

PAGE: Final = 4096
PIPE_PAGES: Final = 2


class Unread:
    """A run whose standard output is a small pipe that is full."""

    def __init__(self, programs: Programs, *arguments: str) -> None:
        self.reader, self._writer = os.pipe()
        fcntl.fcntl(self._writer, fcntl.F_SETPIPE_SZ, PIPE_PAGES * PAGE)
        self.process = programs.start(*PROGRAM, *FAST, *arguments, stdout=self._writer)
        assert wait_for(self.is_full)
        self.workers = children_of(self.process.pid)

    def is_full(self) -> bool:
        """Whether the pipe takes no more, however few bytes are in its pages."""
        return not select.select([], [self._writer], [], 0)[1]

    def resident_kb(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0])

    def read(self) -> bytes:
        """Read what is there, waiting for some; empty at the end."""
        return os.read(self.reader, PAGE)

    def let_end(self) -> None:
        """Give up our copy of the writing end: the reader sees the end of the run."""
        os.close(self._writer)
        self._writer = -1

    def close(self) -> None:
        for end in (self.reader, self._writer):
            if end >= 0:
                os.close(end)


@pytest.fixture
def unread(programs: Programs) -> Iterator[Callable[..., Unread]]:
    """Starts runs that nobody reads; what they hold is closed with the test."""
    started: list[Unread] = []

    def start(*arguments: str) -> Unread:
        started.append(Unread(programs, *arguments))
        return started[-1]

    yield start
    for each in started:
        each.close()


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return run(*PROGRAM, *FAST, *arguments)


def rows_of(output: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in output.read_text().splitlines()]


@pytest.mark.parametrize(
    ("drain_seconds", "signals"),
    [
        ("0.2", [signal.SIGTERM]),
        ("0.2", [signal.SIGINT]),
        ("600", [signal.SIGINT, signal.SIGTERM]),
    ],
)
def test_a_run_that_nobody_reads_is_stopped_by_signals(
    folder: str,
    run_dirs: Path,
    unread: Callable[..., Unread],
    drain_seconds: str,
    signals: list[signal.Signals],
) -> None:
    stuck = unread("--set", f"drain_seconds={drain_seconds}", "-d", folder, "-r", "100")
    for number in signals:
        stuck.process.send_signal(number)
    _, err = stuck.process.communicate(timeout=PATIENCE)
    assert stuck.process.returncode == 128 + signals[0]
    # The summary is there: it ended by itself, not by its last resort.
    assert re.search(r" \d+ images ", err)
    assert len(stuck.workers) == 3
    assert not any(map(is_alive, stuck.workers))
    assert list(run_dirs.iterdir()) == []


def test_a_reader_that_pauses_gets_all_and_memory_is_flat(
    folder: str, unread: Callable[..., Unread]
) -> None:
    paused = unread("-d", folder, "-r", "20")
    before = paused.resident_kb()
    got = bytearray()
    while got.count(b"\n") < 700:
        got += paused.read()
    assert wait_for(paused.is_full)
    assert paused.resident_kb() - before < 4096
    paused.let_end()
    while data := paused.read():
        got += data
    assert paused.process.wait(PATIENCE) == 0
    names = Counter(line.partition(b": ")[0] for line in bytes(got).splitlines())
    assert set(names.values()) == {20}
    assert len(names) == 72


def test_a_program_that_hangs_in_a_write_ends_after_a_second_signal(programs: Programs) -> None:
    script = (
        "import os, signal, farm.system.signals as i\n"
        "i.LAST_SECONDS = 0.1\n"
        "with i.Signals() as signals:\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    while not signals.seen(): pass\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    while True: os.write(1, bytes(65536))\n"
    )
    assert programs.start(sys.executable, "-c", script).wait(PATIENCE) == 143


def test_a_full_disk_ends_the_run_and_what_is_written_is_gone_on_with(
    folder: str, tmp_path: Path, run_dirs: Path
) -> None:
    output = tmp_path / "results.jsonl"
    limited = ("sh", "-c", 'ulimit -f 16; exec "$@"', "sh", *PROGRAM, *FAST)
    done = run(*limited, "-d", folder, "-o", str(output))
    assert done.returncode == 1
    assert missing(("--output", str(output), os.strerror(errno.EFBIG)), done.stderr) == []
    assert "Traceback" not in done.stderr
    assert list(run_dirs.iterdir()) == []
    before = output.read_bytes()
    assert before.endswith(b"}\n")
    assert f" {len(rows_of(output))} images" in done.stderr

    done = command("-d", folder, "-o", str(output), "--resume")
    assert done.returncode == 0
    assert output.read_bytes().startswith(before)
    assert f" {len(before.splitlines())}: " in done.stderr  # so many were skipped
    assert len({row["path"] for row in rows_of(output)}) == len(rows_of(output)) == 72


@pytest.mark.parametrize("how", ["stdout", "file"])
def test_an_output_that_takes_nothing_ends_the_run(
    folder: str, tmp_path: Path, run_dirs: Path, how: str
) -> None:
    (tmp_path / "full.jsonl").symlink_to("/dev/full")
    flags = ("-o", str(tmp_path / "full.jsonl")) if how == "file" else ()
    with open("/dev/full", "w") as full:
        done = run(*PROGRAM, *FAST, "-d", folder, *flags, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert os.strerror(errno.ENOSPC) in done.stderr
    assert list(run_dirs.iterdir()) == []


@pytest.fixture
def fed(tmp_path: Path, renders: list[Path], programs: Programs) -> subprocess.Popen[str]:
    """A run into out/results.jsonl that has done one image and waits for more."""
    output = tmp_path / "out" / "results.jsonl"
    output.parent.mkdir()
    words = (*PROGRAM, *FAST, "-d", "-", "-o", str(output))
    process = programs.start(*words, stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(f"{renders[0]}\n")
    process.stdin.flush()
    assert wait_for(lambda: output.exists() and output.stat().st_size > 0)
    return process


def test_results_that_somebody_removes_are_no_success(
    fed: subprocess.Popen[str], tmp_path: Path
) -> None:
    (tmp_path / "out" / "results.jsonl").unlink()
    (tmp_path / "out").rmdir()
    _, err = fed.communicate(timeout=PATIENCE)
    assert fed.returncode == 1
    assert str(tmp_path / "out" / "results.jsonl") in err


def test_results_that_somebody_cuts_off_are_no_success(
    fed: subprocess.Popen[str], tmp_path: Path, renders: list[Path]
) -> None:
    output = tmp_path / "out" / "results.jsonl"
    output.write_bytes(b"")
    _, err = fed.communicate(f"{renders[1]}\n", timeout=PATIENCE)
    assert fed.returncode == 1
    assert missing((f"--output {output}", "--resume"), err) == []
    assert [row["path"] for row in rows_of(output)] == [str(renders[1])]
    done = command("-d", f"{renders[0]}", f"{renders[1]}", "-o", str(output), "--resume")
    assert done.returncode == 0
    assert [row["path"] for row in rows_of(output)] == [str(renders[1]), str(renders[0])]


def test_results_that_are_rotated_away_are_no_success(
    fed: subprocess.Popen[str], tmp_path: Path
) -> None:
    output = tmp_path / "out" / "results.jsonl"
    output.rename(output.with_name("results.jsonl.1"))
    output.touch()
    _, err = fed.communicate(timeout=PATIENCE)
    assert fed.returncode == 1
    assert f"--output {output}" in err
    assert len(rows_of(output.with_name("results.jsonl.1"))) == 1


def test_two_runs_do_not_share_a_file(
    fed: subprocess.Popen[str], tmp_path: Path, folder: str
) -> None:
    output = tmp_path / "out" / "results.jsonl"
    before = output.read_bytes()
    done = command("-d", folder, "-o", str(output), "--resume")
    assert done.returncode == 2
    assert str(output) in done.stderr
    assert output.read_bytes() == before
    fed.communicate(timeout=PATIENCE)
    assert fed.returncode == 0


def test_a_resumed_run_that_has_all_does_nothing(folder: str, tmp_path: Path) -> None:
    output = tmp_path / "results.jsonl"
    flags = ("-d", folder, "-r", "2", "-o", str(output), "--resume", "--ordered")
    assert command(*flags).returncode == 0
    before = output.read_bytes()
    assert [row["id"] for row in rows_of(output)] == list(range(144))
    done = command(*flags)
    assert done.returncode == 0
    assert " 144: " in done.stderr  # so many were skipped
    assert output.read_bytes() == before


@pytest.mark.parametrize("name", ["results.jsonl", "results.csv"])
def test_results_of_an_earlier_run_are_not_replaced_unasked(
    name: str, folder: str, tmp_path: Path
) -> None:
    output = tmp_path / name
    words = ("-d", folder, "-o", str(output))
    assert command(*words).returncode == 0
    before = output.read_bytes()
    done = command(*words)
    assert done.returncode == 2
    assert missing((f"--output {output}", "--overwrite"), done.stderr) == []
    assert ("--resume" in done.stderr) == (name == "results.jsonl")
    assert len(done.stderr.splitlines()) == 1
    assert output.read_bytes() == before
    assert command(*words, "--overwrite").returncode == 0
    assert len(output.read_bytes().splitlines()) == len(before.splitlines())


def test_what_comes_into_the_file_after_the_look_is_not_replaced_either(tmp_path: Path) -> None:
    output = tmp_path / "results.jsonl"
    output.write_text("of another run")
    with (
        pytest.raises(OutputError, match="just been changed"),
        open_writer(output, False, format_of("classify"), WriteDeadline(), ResumeIndex()),
    ):
        pass
    assert output.read_text() == "of another run"


def test_a_resumed_run_that_skips_nothing_says_so(renders: list[Path], tmp_path: Path) -> None:
    link, output = tmp_path / "link.jpg", tmp_path / "results.jsonl"
    link.symlink_to(renders[0])
    words = ("-q", "-o", str(output), "--resume")
    first, again, other = (command(str(each), *words) for each in (link, link, renders[0]))
    said = [f"{output}: none of its 1 earlier " in done.stderr for done in (first, again, other)]
    assert said == [False, False, True]


def test_an_empty_file_is_written_to(folder: str, tmp_path: Path) -> None:
    (tmp_path / "results.jsonl").touch()
    assert command("-d", folder, "-o", str(tmp_path / "results.jsonl")).returncode == 0


def test_errors_count_as_done(tmp_path: Path) -> None:
    output = tmp_path / "results.jsonl"
    listed = tmp_path / "list.txt"
    listed.write_text("no-such.jpg\n")
    flags = ("-d", str(listed), "-o", str(output), "--resume")
    assert [command(*flags).returncode for _ in range(2)] == [1, 0]
    assert len(rows_of(output)) == 1


@pytest.mark.parametrize(
    ("flags", "facts"),
    [
        (("--resume",), ("--resume", "-o")),
        (("--overwrite",), ("--overwrite", "-o")),
        (("--resume", "-o", "r.csv"), ("--resume", "r.csv", ".jsonl")),
        (("--resume", "-o", "/dev/null/r.jsonl"), ("--resume", "/dev/null/r.jsonl")),
    ],
)
def test_a_run_that_can_not_be_resumed_says_why(
    folder: str, flags: tuple[str, ...], facts: tuple[str, ...]
) -> None:
    done = command("-d", folder, *flags)
    assert done.returncode == 2
    assert missing(facts, done.stderr) == []
    assert len(done.stderr.splitlines()) == 1


def test_a_file_of_somebody_else_is_left_alone(folder: str, tmp_path: Path) -> None:
    output = tmp_path / "notes.jsonl"
    output.write_text('{"note": 1}\n{"note": 2}\n{"no')
    before = output.read_bytes()
    done = command("-d", folder, "--resume", "-o", str(output))
    assert done.returncode == 2
    assert missing(("--resume", f"{output}: line 1"), done.stderr) == []
    assert output.read_bytes() == before
