from __future__ import annotations

import faulthandler
import re
import subprocess
import sys
import tempfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.coordinator.worker_output import LAST_LINES, LINE_BYTES, WorkerOutput
from tests.helpers.support import ROOT
from workers.protocol import startup as steps


def heard(*pieces: bytes) -> WorkerOutput:
    words = WorkerOutput()
    for piece in pieces:
        words.feed(piece)
    words.finish()
    return words


def test_a_step_is_kept_apart_from_what_is_said(capfd: pytest.CaptureFixture[str]) -> None:
    steps.begin("RKNNLite.init_runtime(core_mask=2)")
    said = capfd.readouterr().err.encode()
    words = heard(b"one\n", said, b"two\n")
    assert words.step == "RKNNLite.init_runtime(core_mask=2)"
    assert words.last == "two"


def test_a_step_counts_from_its_own_line_on_and_not_from_half_of_it() -> None:
    words = WorkerOutput()
    words.feed(steps.MARK + b"the self")
    assert words.step != steps.SELF_TEST
    words.feed(b"-test\n")
    assert words.step == steps.SELF_TEST


@given(st.lists(st.binary(max_size=30), max_size=30))
def test_the_pieces_in_which_output_comes_make_no_difference(pieces: list[bytes]) -> None:
    apart, whole = heard(*pieces), heard(b"".join(pieces))
    assert (apart.last, apart.step) == (whole.last, whole.step)


def test_output_without_end_is_not_kept_whole() -> None:
    words = WorkerOutput()
    for _ in range(100):
        words.feed(b"x" * 100_000)
    words.feed(b"\nlast\n" * (2 * LAST_LINES))
    words.feed(b"y" * 100_000)
    words.finish()
    assert words.last == "y" * LINE_BYTES


def test_the_librarys_errors_are_found_without_their_clock_and_once_each() -> None:
    words = heard(
        b"I RKNN: [12:00:00.000] RKNN Runtime Information\n"
        b"E RKNN: [12:00:00.001] failed to submit!, op id: 1\n"
        b"E RKNN: [12:00:00.002] failed to submit!, op id: 1\n"
        b"E SIMNPU: rknn_run: run 2 fails as told\n"
        b"Exception: E RKNN: not at the beginning\n"
    )
    expected = "failed to submit!, op id: 1; rknn_run: run 2 fails as told"
    assert words.explain("SIGKILL") == f"SIGKILL (librknnrt: {expected})"
    assert words.explain(f"-1: {expected}") == f"-1: {expected}"
    assert heard(b"all well\n").explain("SIGKILL") == "SIGKILL"


def test_the_place_is_where_the_main_thread_was() -> None:
    with tempfile.TemporaryFile() as file:
        faulthandler.dump_traceback(file, all_threads=True)
        file.seek(0)
        dumped = file.read()
    place = heard(b"noise\n", dumped).stack_location()
    assert place.startswith("coordinator/test_worker_output.py, line ")
    assert place.endswith(", test_the_place_is_where_the_main_thread_was")
    assert heard(b"noise\n").stack_location() == ""
    assert heard(b"Current thread 0x01 (most recent call first):\n").stack_location() == ""
    cut_off = dumped + b"Current thread 0x01 (most recent call first):\n"
    assert heard(cut_off).stack_location() == ""


def test_of_several_threads_the_place_is_the_main_ones() -> None:
    script = (
        "import faulthandler, threading, time\n"
        "def idle(): time.sleep(60)\n"
        "def busy(): faulthandler.dump_traceback(all_threads=True)\n"
        "threading.Thread(target=idle, daemon=True).start()\n"
        "busy()\n"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stderr
    printed = said.replace(b'"<string>"', b'"/a/b/c.py"')
    assert heard(printed).stack_location() == "b/c.py, line 3, busy"


DECODING = """
import faulthandler, os, sys, threading, time
from workers.images import decode_pool
from workers.protocol.messages import FileRef, Item
from workers.protocol.spec import EXACT, InputSpec

def decode(source, spec, mode):
    while True:
        time.sleep(9)

decode_pool.image.load = decode
threading.Thread(target=time.sleep, args=(9,), daemon=True).start()
spec = InputSpec(width=8, height=8, layout="NHWC", dtype="uint8")
pool = decode_pool.DecodePool(3, tuple(os.sched_getaffinity(0)), spec, EXACT)
faulthandler.dump_traceback_later(1, exit=True)
if "busy" in sys.argv:
    pool.put(decode_pool.Job(0, Item(0, FileRef(b"x.jpg"))))
pool.get()
"""


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        (["busy"], r"decoding \(.*, line \d+, decode\)"),
        ([], r"workers/images/decode_pool.py, line \d+, get"),
    ],
)
def test_of_a_main_thread_that_waits_for_a_decoder_the_place_is_the_decoders(
    arguments: list[str], place: str
) -> None:
    program = [sys.executable, "-c", DECODING, *arguments]
    ended = subprocess.run(program, cwd=ROOT, capture_output=True, check=False)
    assert re.fullmatch(place, heard(ended.stderr).stack_location())


TASK = """
import faulthandler, sys, threading, time
from workers.answers import Answers, Part

class Task:
    def answer(self, images):
        time.sleep(9)

faulthandler.dump_traceback_later(1, exit=True)
answers = Answers(None, Task(), None)
if "busy" in sys.argv:
    answers.put(Part(0, [], True))
time.sleep(9)
"""


@pytest.mark.parametrize(
    ("arguments", "place"),
    [(["busy"], r"its task \(.*, line \d+, answer\)"), ([], r".*, line \d+, <module>")],
)
def test_of_a_worker_whose_task_is_in_work_the_place_is_the_tasks(
    arguments: list[str], place: str
) -> None:
    program = [sys.executable, "-c", TASK, *arguments]
    ended = subprocess.run(program, cwd=ROOT, capture_output=True, check=False)
    assert re.fullmatch(place, heard(ended.stderr).stack_location())
