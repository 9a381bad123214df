"""Outputs that fill up, fail, vanish, or are not read: nothing written is lost, nobody hangs."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import termios
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.helpers.support import ROOT, children_of, is_alive, wait_for

PROGRAM: Final = (sys.executable, "-m", "farm.coordinator")
SIMULATED: Final = (str(ROOT / "configs" / "rk3588.yaml"), "--runtime", "simulated", "-c", "all")
FAST: Final = (*SIMULATED, "--set", "simulated.service_ms=0")
PAGE: Final = 4096
PIPE_PAGES: Final = 2


class Unread:
    """A run whose standard output is a small pipe that is full."""

    def __init__(self, *arguments: str) -> None:
        self.reader, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, PIPE_PAGES * PAGE)
        self.process = subprocess.Popen(
            [*PROGRAM, *FAST, *arguments],
            cwd=ROOT,
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
        )
        os.close(writer)
        assert wait_for(self.is_full, within=30)
        self.workers = children_of(self.process.pid)

    def is_full(self) -> bool:
        waiting = fcntl.ioctl(self.reader, termios.FIONREAD, bytes(4))
        return int.from_bytes(waiting, sys.byteorder) > (PIPE_PAGES - 1) * PAGE

    def resident_kb(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0])

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()
        os.close(self.reader)


@pytest.fixture
def folder(renders: list[Path]) -> str:
    return str(renders[0].parent)


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *FAST, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


def rows_of(output: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in output.read_text().splitlines()]


@pytest.mark.parametrize(
    ("drain_seconds", "signals", "code"),
    [
        ("0.2", [signal.SIGTERM], 143),
        ("0.2", [signal.SIGINT], 130),
        ("600", [signal.SIGINT, signal.SIGTERM], 130),
    ],
)
def test_a_run_that_nobody_reads_is_stopped_by_signals(
    folder: str, run_dirs: Path, drain_seconds: str, signals: list[signal.Signals], code: int
) -> None:
    unread = Unread("--set", f"drain_seconds={drain_seconds}", "-d", folder, "-r", "100")
    for number in signals:
        unread.process.send_signal(number)
    _, err = unread.process.communicate(timeout=20)
    assert unread.process.returncode == code
    assert "nobody reads the results" in err  # it ended by itself, not by its last resort
    assert len(unread.workers) == 3
    assert not any(map(is_alive, unread.workers))
    assert list(run_dirs.iterdir()) == []
    os.close(unread.reader)


def test_a_reader_that_pauses_gets_all_and_memory_is_flat(folder: str) -> None:
    unread = Unread("-d", folder, "-r", "20")
    before = unread.resident_kb()
    got = bytearray()
    while got.count(b"\n") < 700:
        got += os.read(unread.reader, PAGE)
    assert wait_for(unread.is_full, within=20)
    assert unread.resident_kb() - before < 4096
    while data := os.read(unread.reader, PAGE):
        got += data
    assert unread.process.wait(timeout=20) == 0
    names = Counter(line.partition(b": ")[0] for line in bytes(got).splitlines())
    assert set(names.values()) == {20}
    assert len(names) == 72
    unread.end()


def test_a_program_that_hangs_in_a_write_ends_after_a_second_signal() -> None:
    script = (
        "import os, signal, farm.system.signals as i\n"
        "i.LAST_SECONDS = 0.1\n"
        "with i.Signals():\n"
        "    for number in (signal.SIGTERM, signal.SIGINT): os.kill(os.getpid(), number)\n"
        "    while True: os.write(1, bytes(65536))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE)
    assert process.wait(timeout=20) == 143
    assert process.stdout is not None
    process.stdout.close()


def test_a_full_disk_ends_the_run_and_what_is_written_is_gone_on_with(
    folder: str, tmp_path: Path, run_dirs: Path
) -> None:
    output = tmp_path / "results.jsonl"
    limited = ["sh", "-c", 'ulimit -f 16; exec "$@"', "sh", *PROGRAM, *FAST]
    done = subprocess.run(
        [*limited, "-d", folder, "-o", str(output)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert f"error: --output {output}: can't be written: File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(run_dirs.iterdir()) == []
    before = output.read_bytes()
    assert before.endswith(b"}\n")
    assert f"Processed {len(rows_of(output))} images" in done.stderr

    done = command("-d", folder, "-o", str(output), "--resume")
    assert done.returncode == 0
    assert output.read_bytes().startswith(before)
    assert f"Skipped      {len(before.splitlines())}: done by earlier runs" in done.stderr
    assert len({row["path"] for row in rows_of(output)}) == len(rows_of(output)) == 72


@pytest.mark.parametrize("how", ["stdout", "file"])
def test_an_output_that_takes_nothing_ends_the_run(
    folder: str, tmp_path: Path, run_dirs: Path, how: str
) -> None:
    (tmp_path / "full.jsonl").symlink_to("/dev/full")
    flags = ("-o", str(tmp_path / "full.jsonl")) if how == "file" else ()
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*PROGRAM, *FAST, "-d", folder, *flags],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert "can't be written: No space left on device" in done.stderr
    assert list(run_dirs.iterdir()) == []


@pytest.fixture
def fed(tmp_path: Path, renders: list[Path]) -> Iterator[subprocess.Popen[str]]:
    """A run into out/results.jsonl that has done one image and waits for more."""
    output = tmp_path / "out" / "results.jsonl"
    output.parent.mkdir()
    process = subprocess.Popen(
        [*PROGRAM, *FAST, "-d", "-", "-o", str(output)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(f"{renders[0]}\n")
    process.stdin.flush()
    assert wait_for(lambda: output.exists() and output.stat().st_size > 0, within=30)
    yield process
    process.kill()
    process.communicate()


def test_results_that_somebody_removes_are_no_success(
    fed: subprocess.Popen[str], tmp_path: Path
) -> None:
    (tmp_path / "out" / "results.jsonl").unlink()
    (tmp_path / "out").rmdir()
    _, err = fed.communicate(timeout=20)
    assert fed.returncode == 1
    assert "results.jsonl: the file was removed while it was written" in err


def test_two_runs_do_not_share_a_file(
    fed: subprocess.Popen[str], tmp_path: Path, folder: str
) -> None:
    output = tmp_path / "out" / "results.jsonl"
    before = output.read_bytes()
    done = command("-d", folder, "-o", str(output), "--resume")
    assert done.returncode == 2
    assert "another run is writing to it" in done.stderr
    assert output.read_bytes() == before
    fed.communicate(timeout=20)
    assert fed.returncode == 0


def test_a_resumed_run_that_has_all_does_nothing(folder: str, tmp_path: Path) -> None:
    output = tmp_path / "results.jsonl"
    flags = ("-d", folder, "-r", "2", "-o", str(output), "--resume", "--ordered")
    assert command(*flags).returncode == 0
    before = output.read_bytes()
    assert [row["id"] for row in rows_of(output)] == list(range(144))
    done = command(*flags)
    assert done.returncode == 0
    assert "Skipped      144: done by earlier runs" in done.stderr
    assert output.read_bytes() == before


def test_errors_count_as_done(tmp_path: Path) -> None:
    output = tmp_path / "results.jsonl"
    listed = tmp_path / "list.txt"
    listed.write_text("no-such.jpg\n")
    flags = ("-d", str(listed), "-o", str(output), "--resume")
    assert [command(*flags).returncode for _ in range(2)] == [1, 0]
    assert len(rows_of(output)) == 1


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ((), "--resume: name the file to go on with: -o results.jsonl"),
        (("-o", "r.csv"), "--resume: r.csv: only a .jsonl file can be gone on with"),
        (("-o", "/dev/null/r.jsonl"), "--resume: /dev/null/r.jsonl: can't be read: "),
    ],
)
def test_a_run_that_can_not_be_resumed_says_why(
    folder: str, flags: tuple[str, ...], words: str
) -> None:
    done = command("-d", folder, "--resume", *flags)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {words}")
    assert len(done.stderr.splitlines()) == 1


def test_a_file_of_somebody_else_is_left_alone(folder: str, tmp_path: Path) -> None:
    output = tmp_path / "notes.jsonl"
    output.write_text('{"note": 1}\n{"note": 2}\n{"no')
    before = output.read_bytes()
    done = command("-d", folder, "--resume", "-o", str(output))
    assert done.returncode == 2
    assert f"error: --resume: {output}: line 1 is no result of npu-farm; " in done.stderr
    assert output.read_bytes() == before
