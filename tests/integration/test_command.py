"""The command line as users run it: output, exit codes, signals, nothing left behind."""

from __future__ import annotations

import json
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.helpers.programs import (
    HOST,
    NPU_FARM,
    PROGRAM,
    SIMULATED,
    SLOW,
    Programs,
    command,
    missing,
    npu_farm,
    run,
)
from tests.helpers.support import PATIENCE, ROOT, children_of, is_alive, wait_for


@pytest.fixture
def slow(folder: str, run_dirs: Path, programs: Programs) -> subprocess.Popen[str]:
    """A run that would take minutes, with its workers up and results coming."""
    assert not list(run_dirs.iterdir())
    process = programs.start(*PROGRAM, *SLOW, "-d", folder, "-r", "100")
    assert process.stdout is not None
    assert process.stdout.readline()
    return process


def has_begun(output: Path) -> bool:
    return output.exists() and output.stat().st_size > 0


def test_lines_go_to_stdout_and_the_summary_to_stderr(folder: str) -> None:
    done = command(HOST, "-d", folder, "-s", "2")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert len(lines) == 72
    assert all(re.fullmatch(r".*glyph-.*\.jpg: (\S+ [\d.]+ %(, )?){5}", line) for line in lines)
    assert re.search(r" 72 images .* [\d.]+s.* [\d.]+ms$", done.stderr, re.M)
    assert re.search(r" top-1 \d+\.\d %, top-5 \d+\.\d % .*72 images$", done.stderr, re.M)


def test_the_bundled_model_says_once_that_it_reads_no_photos(
    renders: list[Path], tmp_path: Path
) -> None:
    """A newcomer's first photo gets a letter or a digit, whatever it shows."""
    photos = [tmp_path / name for name in ("cat.jpg", "dog.jpg")]
    for photo in photos:
        photo.write_bytes(renders[0].read_bytes())
    for images, notes in ((renders[:2], 0), ([renders[1], *photos], 1)):
        done = command(HOST, *map(str, images), "-s", "1")
        assert done.returncode == 0
        assert len(done.stdout.splitlines()) == len(images)
        assert done.stderr.count("make photos-model") == notes


def test_a_simulated_run_says_so_and_names_no_classes(folder: str, tmp_path: Path) -> None:
    output = tmp_path / "results.jsonl"
    done = command(*SIMULATED, "-d", folder)
    assert "simulated" in done.stderr
    assert "top-1" not in done.stderr
    assert all(": simulated: " in line for line in done.stdout.splitlines())
    done = command(*SIMULATED, "-d", folder, "-q", "-o", str(output))
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    assert done.returncode == 0
    assert done.stdout == ""
    assert len(rows) == 72
    assert all(row["simulated"] is True for row in rows)
    assert all(best["label"] is None for row in rows for best in row["top5"])


def test_paths_on_stdin_are_classified_as_they_come(
    renders: list[Path], programs: Programs
) -> None:
    silent = {"stdin": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    process = programs.start(*PROGRAM, *SIMULATED, "-d", "-", **silent)
    assert process.stdin is not None
    assert process.stdout is not None
    for path in renders[:3]:
        process.stdin.write(f"{path}\n")
        process.stdin.flush()
        assert process.stdout.readline().startswith(f"{path}: simulated: ")
    process.stdin.close()
    assert process.stdout.read() == ""
    assert process.wait(PATIENCE) == 0


def test_ordered_and_repeated(folder: str, renders: list[Path]) -> None:
    done = command(*SIMULATED, "-d", folder, "-r", "2", "--ordered")
    names = [line.partition(": ")[0] for line in done.stdout.splitlines()]
    assert names == sorted(map(str, renders)) * 2


def test_bad_images_are_errors_each_and_the_rest_is_classified(
    tmp_path: Path, renders: list[Path]
) -> None:
    good = renders[0].read_bytes()
    (tmp_path / "good.jpg").write_bytes(good)
    cv2.imwrite(str(tmp_path / "good.png"), np.full((40, 60, 3), 90, np.uint8))
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("this is no image")
    (tmp_path / "cut.jpg").write_bytes(good[: len(good) // 2])
    (tmp_path / "gone.jpg").symlink_to("nowhere")
    (tmp_path / "folder").mkdir()
    (tmp_path / "barred.jpg").write_bytes(good)
    (tmp_path / "barred.jpg").chmod(0)
    done = command(HOST, "-d", str(tmp_path), "-s", "1")
    lines = [line.partition(": ") for line in done.stdout.splitlines()]
    said = {Path(name).name: words for name, _, words in lines}
    assert done.returncode == 1
    bad = {"empty.jpg", "text.jpg", "cut.jpg", "gone.jpg", "barred.jpg"}
    assert set(said) == {"good.jpg", "good.png", *bad}
    assert said["empty.jpg"].startswith("error: empty: ")
    assert said["text.jpg"].startswith("error: not_an_image: ")
    assert said["cut.jpg"].startswith("error: truncated: ")
    assert said["gone.jpg"].startswith("error: missing: ")
    barred = os.geteuid() != 0  # root may read everything
    assert said["barred.jpg"].startswith("error: unreadable: ") is barred
    assert not said["good.jpg"].startswith("error")
    assert not said["good.png"].startswith("error")
    ok = 2 if barred else 3
    assert missing((f" {ok} images", f" {7 - ok} of 7"), done.stderr) == []


@pytest.mark.parametrize(
    ("arguments", "facts"),
    [
        ((HOST, "-s", "0"), ("size", "0")),
        ((HOST, "--set", "colour=red"), ("colour",)),
        (("no-such.yaml",), ("no-such.yaml",)),
        ((*SIMULATED, "-s", "4"), ("size", "4", "rk3588", "3 or 6")),
        ((HOST, "-d", "no-such-folder"), ("no-such-folder",)),
        ((HOST, "-m", "no-such.onnx"), ("model", "no-such.onnx")),
        ((HOST, "-o", "results.xml"), ("results.xml", ".jsonl", ".csv")),
    ],
)
def test_a_users_mistake_is_two_lines_at_most_and_exit_code_2(
    arguments: tuple[str, ...], facts: tuple[str, ...], folder: str
) -> None:
    done = command(*arguments, *(() if "-d" in arguments else ("-d", folder)))
    assert done.returncode == 2
    assert missing(facts, done.stderr) == []
    assert len(done.stderr.splitlines()) <= 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["out.txt", "no/such/folder.csv", "tests", "/proc/r.jsonl"])
def test_an_output_that_can_not_be_is_an_error_and_no_summary(name: str, folder: str) -> None:
    done = command(*SIMULATED, "-d", folder, "-o", name, "--log-format", "json")
    told = [json.loads(line) for line in done.stderr.splitlines()]
    assert done.returncode == 2
    assert [each["event"] for each in told if each["level"] == "error"] == ["failed"]
    assert name in told[-1]["message"]
    assert "summary" not in {each.get("event") for each in told}
    assert len(told) == 1 or name == "/proc/r.jsonl"  # that is seen when it is opened


def test_paths_on_stdin_that_are_no_lines_are_an_error_and_no_summary(renders: list[Path]) -> None:
    given = "".join(f"{path}\0" for path in renders[:3])
    done = command(*SIMULATED, "-", "--log-format", "json", input=given)
    told = [json.loads(line) for line in done.stderr.splitlines()]
    assert done.returncode == 2
    assert (done.stdout, "NUL" in told[-1]["message"]) == ("", True)
    assert "summary" not in {each.get("event") for each in told}


def test_the_output_is_checked_before_the_images() -> None:
    done = command(*SIMULATED, "-d", "no-such-folder", "-o", "out.txt")
    assert "out.txt" in done.stderr
    assert "no-such-folder" not in done.stderr


def test_an_empty_list_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").touch()
    done = command(*SIMULATED, str(tmp_path / "empty.txt"))
    assert done.returncode == 2
    assert "empty.txt: no images in it" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_farm_that_cannot_start_is_exit_code_3(tmp_path: Path, folder: str) -> None:
    model = tmp_path / "bad.onnx"
    model.write_bytes(b"rubbish")
    labels = str(ROOT / "models" / "glyphs.labels.txt")
    done = command(HOST, "-m", str(model), "--labels", labels, "-d", folder, "-s", "1")
    assert done.returncode == 3
    assert missing(("bad.onnx", "ONNX Runtime"), done.stderr) == []
    assert "Traceback" not in done.stderr


@pytest.fixture
def slow_to_file(
    folder: str, tmp_path: Path, run_dirs: Path, programs: Programs
) -> tuple[subprocess.Popen[str], Path]:
    """The same into a file, whose path comes with it."""
    assert not list(run_dirs.iterdir())
    output = tmp_path / "results.jsonl"
    process = programs.start(*PROGRAM, *SLOW, "-d", folder, "-r", "100", "-o", str(output))
    assert wait_for(lambda: has_begun(output))
    return process, output


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_first_signal_drains_and_sums_up(
    slow_to_file: tuple[subprocess.Popen[str], Path],
    run_dirs: Path,
    number: signal.Signals,
    code: int,
) -> None:
    process, output = slow_to_file
    workers = children_of(process.pid)
    assert len(workers) == 3
    process.send_signal(number)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == code
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    assert f" {len(rows)} images " in err
    assert all(row["error"] is None for row in rows)
    assert not any(map(is_alive, workers))
    assert list(run_dirs.iterdir()) == []


def test_the_command_that_a_stopped_run_shows_does_the_rest(
    folder: str, tmp_path: Path, programs: Programs
) -> None:
    output = tmp_path / "it's.jsonl"
    output.write_text("of another time")
    words = (*SLOW, folder, "-q", "--overwrite", "-o", str(output))
    process = programs.start(NPU_FARM, "run", *words)
    assert wait_for(lambda: '"id"' in output.read_text())
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE)
    done, images = len(output.read_text().splitlines()), len(list(Path(folder).iterdir()))
    assert f" {done} of {images} images " in err
    (shown,) = (line for line in err.splitlines() if "--resume" in line)
    rest = run("/bin/sh", "-c", shown)
    assert rest.returncode == 0, rest.stderr
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    assert len({row["path"] for row in rows}) == len(rows) == images


def test_a_lost_terminal_drains_and_the_results_are_whole(
    folder: str, tmp_path: Path, run_dirs: Path
) -> None:
    output = tmp_path / "results.jsonl"
    words = [*PROGRAM, *SLOW, "-d", folder, "-r", "100", "-o", str(output)]
    pid, terminal = pty.fork()
    if pid == 0:  # in a session of its own, whose terminal goes away with our end
        os.chdir(ROOT)
        os.execv(sys.executable, words)  # noqa: S606 - no shell is meant
    assert wait_for(lambda: has_begun(output))
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 129
    assert list(run_dirs.iterdir()) == []
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    assert len({row["id"] for row in rows}) == len(rows) > 0


def test_nohup_is_respected(folder: str, tmp_path: Path, programs: Programs) -> None:
    output = tmp_path / "results.jsonl"
    arguments = (*SLOW, "-d", folder, "-q", "-o", str(output))
    process = programs.start("/usr/bin/nohup", *PROGRAM, *arguments)
    assert wait_for(lambda: has_begun(output))
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert len(output.read_text().splitlines()) == len(list(Path(folder).iterdir()))


@pytest.mark.parametrize(
    ("drain_seconds", "signals"),
    [("600", [signal.SIGINT, signal.SIGTERM]), ("0.2", [signal.SIGINT])],
)
def test_workers_that_do_not_answer_hold_up_no_stop(
    folder: str,
    run_dirs: Path,
    programs: Programs,
    drain_seconds: str,
    signals: list[signal.Signals],
) -> None:
    limit = ("--set", f"drain_seconds={drain_seconds}")
    process = programs.start(*PROGRAM, *SLOW, *limit, "-d", folder, "-r", "100")
    assert process.stdout is not None
    assert process.stdout.readline()
    workers = children_of(process.pid)
    assert len(workers) == 3
    for pid in workers:
        os.kill(pid, signal.SIGSTOP)
    for number in signals:
        process.send_signal(number)
    process.communicate(timeout=PATIENCE)
    assert process.returncode in (130, 143)
    assert not any(map(is_alive, workers))
    assert wait_for(lambda: list(run_dirs.iterdir()) == [])


def test_a_killed_coordinator_leaves_no_workers_and_no_files(
    slow: subprocess.Popen[str], run_dirs: Path
) -> None:
    workers = children_of(slow.pid)
    assert len(workers) == 3
    slow.kill()
    assert wait_for(lambda: not any(map(is_alive, workers)))
    assert wait_for(lambda: list(run_dirs.iterdir()) == [])


def test_a_reader_that_goes_away_ends_the_run(slow: subprocess.Popen[str], run_dirs: Path) -> None:
    workers = children_of(slow.pid)
    assert slow.stdout is not None
    slow.stdout.close()
    slow.stdout = None
    assert slow.wait(PATIENCE) != 0
    assert not any(map(is_alive, workers))
    assert list(run_dirs.iterdir()) == []


def test_plan_shows_who_would_run_where() -> None:
    done = npu_farm("plan", str(ROOT / "configs" / "rk3588.yaml"), "--runtime", "rknn", "-s", "6")
    assert done.returncode == 0
    assert missing(("rk3588", "rknn", "6 workers", "glyphs-rk3588.rknn"), done.stdout) == []
    assert re.search(r"^5 +2 +0b100", done.stdout, re.M)


def test_config_show_prints_what_a_run_would_use() -> None:
    done = npu_farm("config", "show", "rk3588", "-s", "6", "--set", "batch=4")
    assert (done.returncode, done.stderr) == (0, "")
    values = {line.partition(":")[0]: line for line in done.stdout.splitlines()}
    assert re.fullmatch(r"size: 6 +# --size", values["size"])
    assert re.fullmatch(r"batch: 4 +# --set batch", values["batch"])
    assert re.fullmatch(r"platform: rk3588 +# line \d+", values["platform"])
    done = npu_farm("config", "show", "rk3588", "-s", "4", "-c", "medium")
    assert done.returncode == 2
    assert missing(("2 mistakes", "--size: 4: ", "--cpu: medium: "), done.stderr) == []


def test_render_makes_images(tmp_path: Path) -> None:
    done = npu_farm("render", str(tmp_path / "new"), "-n", "3", "--seed", "5")
    assert done.returncode == 0
    assert len(list((tmp_path / "new").iterdir())) == 3


def test_render_makes_scenes_and_says_what_is_on_them(tmp_path: Path) -> None:
    done = npu_farm("render", str(tmp_path), "--scenes", "-n", "2", "--seed", "5")
    assert done.returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "scene-0005-000000.jpg",
        "scene-0005-000001.jpg",
        "scenes.json",
    ]


def test_the_same_input_gives_the_same_answers_whatever_the_size(folder: str) -> None:
    answers = [
        sorted(command(*SIMULATED, "-d", folder, "-s", size).stdout.splitlines())
        for size in ("1", "6")
    ]
    assert answers[0] == answers[1]


def test_too_few_open_files_are_said_before_anything_starts(folder: str, run_dirs: Path) -> None:
    limited = ("sh", "-c", 'ulimit -n 80; exec "$@"', "sh", *PROGRAM)
    done = run(*limited, *SIMULATED, "-s", "6", "-d", folder)
    assert done.returncode == 3
    assert missing(("112", "ulimit -n"), done.stderr) == []
    assert len(done.stderr.splitlines()) == 1
    assert list(run_dirs.iterdir()) == []


def test_a_farm_that_cannot_start_leaves_earlier_results_alone(folder: str, tmp_path: Path) -> None:
    output = tmp_path / "results.csv"
    output.write_text("earlier\n")
    assert (
        command(
            HOST, "-m", "no-such.onnx", "-d", folder, "-o", str(output), "--overwrite"
        ).returncode
        == 2
    )
    assert output.read_text() == "earlier\n"


@pytest.mark.parametrize("to_file", [False, True])
def test_failures_of_a_run_without_lines_are_listed(to_file: bool, tmp_path: Path) -> None:
    photos, output = tmp_path / "photos", tmp_path / "r.jsonl"
    photos.mkdir()
    for number in range(12):
        (photos / f"{number:02d}.jpg").touch()
    done = command(*SIMULATED, str(photos), *(("-o", str(output)) if to_file else ("-q",)))
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count(".jpg: error: empty: ") == 10
    assert missing((" 2 others", str(output) if to_file else "-o FILE"), done.stderr) == []
    assert done.stderr.endswith(f"Written: {output}\n") == to_file


def test_class_folders_are_the_truth(renders: list[Path], tmp_path: Path) -> None:
    for path in renders:
        label = path.stem.rpartition("_")[2]
        (tmp_path / "p" / label).mkdir(parents=True, exist_ok=True)
        (tmp_path / "p" / label / f"{path.stem[:-2]}.jpg").symlink_to(path)
    (tmp_path / "p" / "0" / "notes.txt").touch()
    words = (HOST, str(tmp_path / "p"), "-q", "--truth", "folder")
    flat = command(*words)
    assert flat.returncode == 2
    assert missing((f"{tmp_path / 'p'}: no images", "--recursive"), flat.stderr) == []
    deep = command(*words, "--recursive")
    assert deep.returncode == 0
    assert missing(("1 .txt", f" of {len(renders)} images"), deep.stderr) == []


def test_a_folder_that_renders_cannot_be_made_in_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = npu_farm("render", str(tmp_path / "file" / "in"), "-n", "1")
    assert done.returncode == 2
    assert str(tmp_path / "file" / "in") in done.stderr
    assert "Traceback" not in done.stderr


def test_libraries_are_not_taken_from_the_current_folder(folder: str, tmp_path: Path) -> None:
    for name in ("numpy", "cv2", "zmq", "queue"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('taken from the current folder')")
    done = npu_farm("run", *SIMULATED, "-q", "-d", folder, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_names_that_the_terminal_cannot_show_are_escaped(tmp_path: Path) -> None:
    (tmp_path / "猫.jpg").touch()
    latin = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    done = command(*SIMULATED, "-d", str(tmp_path), env=latin)
    assert done.returncode == 1
    assert "\\u732b.jpg: error: empty: " in done.stdout


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_standard_streams_do_no_harm(closed: str, folder: str, tmp_path: Path) -> None:
    output = tmp_path / "results.jsonl"
    words = (*PROGRAM, *SIMULATED, "-d", folder, "-o", str(output))
    done = run("/bin/sh", "-c", f'exec "$@" {closed}', "sh", *words)
    assert done.returncode == 0
    assert len(output.read_text().splitlines()) == 72


def test_without_the_vendors_tool_a_conversion_says_where_and_how(
    folder: str, tmp_path: Path
) -> None:
    """First of all: many images are listed for nothing without it, or are no images at all."""
    output = tmp_path / "glyphs.rknn"
    model = str(ROOT / "models" / "glyphs.onnx")
    for images in (folder, "no-such"):
        done = npu_farm("convert", model, "-p", "rk3588", "--calibrate", images, "-o", str(output))
        assert done.returncode == 2
        assert missing(("rknn-toolkit2", "x86-64", "make converter"), done.stderr) == []
        assert "no-such" not in done.stderr
        assert (done.stdout, list(tmp_path.iterdir())) == ("", [])


@pytest.mark.parametrize("system", ["win32", "darwin", "cygwin"])
def test_another_system_than_linux_is_told_so_in_a_line(system: str) -> None:
    lacking = ("fcntl", "resource", "pwd", "grp", "termios")  # what Windows has not
    script = f"""
import click  # first, since it has code of its own for Windows
import sys
sys.platform = {system!r}
sys.modules.update(dict.fromkeys({lacking}))
from farm.cli.main import main
main()
"""
    done = run(sys.executable, "-c", script)
    assert (done.returncode, done.stdout) == (3, "")
    assert missing(("Linux", system), done.stderr) == []
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("flags", "facts"),
    [
        (("-p", "rk9"), ("--platform", "rk9", "rk3588")),
        (("-p", "rk3588", "--mean", "1,2"), ("--mean", "1,2")),
        (("-p", "rk3588", "-o", "/proc/x.rknn"), ("--output", "/proc/x.rknn")),
    ],
)
def test_a_conversion_that_can_not_be_is_refused_in_a_line(
    folder: str, flags: tuple[str, ...], facts: tuple[str, ...]
) -> None:
    done = npu_farm("convert", "net.onnx", "--calibrate", folder, *flags)
    assert done.returncode == 2
    assert missing(facts, done.stderr) == []
    assert len(done.stderr.splitlines()) == 1


def test_messages_as_json_are_one_object_a_line_with_their_fields(renders: list[Path]) -> None:
    images = str(renders[0].parent)
    done = command(*SIMULATED, "-q", "-d", images, "--log-format", "json")
    assert done.returncode == 0
    told = [json.loads(line) for line in done.stderr.splitlines()]
    assert all({"time", "level", "message"} <= set(each) for each in told)
    (end,) = [each for each in told if each.get("event") == "summary"]
    assert (end["summary"]["ok"], end["summary"]["failed"]) == (len(renders), 0)
    assert end["subject"]["images"] == [images]
    assert end["subject"]["config"]["batch"] == 8
    assert "npu-farm" in end["machine"]


def test_an_error_as_json_is_an_object_too(tmp_path: Path) -> None:
    done = command(str(tmp_path / "none.yaml"), "--log-format", "json")
    assert done.returncode == 2
    (error,) = map(json.loads, done.stderr.splitlines())
    assert (error["level"], error["event"]) == ("error", "failed")


@pytest.mark.parametrize("words", [["run", "-s", "x"], ["plan", "--nonsense"], ["convert"]])
def test_a_mistake_in_the_words_is_an_object_as_json_and_else_a_hint(words: list[str]) -> None:
    done = npu_farm(*words, "--log-format", "json")
    (error,) = map(json.loads, done.stderr.splitlines())
    assert (done.returncode, error["level"], error["event"]) == (2, "error", "failed")
    done = npu_farm(*words)
    assert done.returncode == 2
    told, hint = done.stderr.splitlines()[0], done.stderr.splitlines()[-1]
    assert told.startswith("error: ")
    assert run(*shlex.split(hint)).returncode == 0


@pytest.mark.parametrize("words", [["--version"], ["run", "--help"], ["plan", *SIMULATED]])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_an_output_without_room_is_named_whatever_is_printed(
    words: list[str], unbuffered: str
) -> None:
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with open("/dev/full", "w") as full:
        done = npu_farm(*words, stdout=full, stderr=subprocess.PIPE, env=environment)
    said = "error: standard output: No space left on device"
    assert (done.returncode, done.stderr.splitlines()[-1]) == (1, said)


def test_importing_the_command_line_changes_neither_signals_nor_streams() -> None:
    script = """
import signal, sys
before = signal.getsignal(signal.SIGINT), sys.stdout, sys.stderr, sys.stdout.errors
import farm.cli.main, farm.api
print((signal.getsignal(signal.SIGINT), sys.stdout, sys.stderr, sys.stdout.errors) == before)
"""
    assert run(sys.executable, "-c", script).stdout == "True\n"
