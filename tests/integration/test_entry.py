"""A worker's entry, started by hand."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import zmq
from msgspec.structs import replace

from tests.helpers.support import PATIENCE, worker_spec
from workers.main import EXIT_NO_INIT, EXIT_ORPHANED
from workers.protocol import messages as wire
from workers.protocol.sockets import Inbox, Outbox
from workers.protocol.spec import SimulatedSpec, WorkerSpec
from workers.protocol.startup import LEAVE, pack_init


@pytest.fixture
def spec(tmp_path: Path) -> WorkerSpec:
    return worker_spec(
        cpus=(min(os.sched_getaffinity(0)),),
        runtime="simulated",
        simulated=SimulatedSpec(
            timelines=str(tmp_path / "npu"), npu_cores=1, service_ms=1.0, seed=0, classes=10
        ),
        run_dir=str(tmp_path / "npu-farm-by_hand_"),
        inbox=f"ipc://{tmp_path}/worker-0",
        sink=f"ipc://{tmp_path}/sink",
    )


def begin(run_dir: str = "") -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "workers.main", "by-hand", run_dir],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_a_worker_started_by_hand_works_and_leaves_when_told(
    spec: WorkerSpec, renders: list[Path]
) -> None:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    outbox = Outbox(context, spec.inbox)
    inbox = Inbox(context, spec.sink)
    process = begin()
    assert process.stdin is not None
    process.stdin.write(pack_init(wire.WorkerInit(spec, generation=7)))
    process.stdin.flush()
    ready = inbox.receive(block=True)
    assert isinstance(ready, wire.Ready)
    assert (ready.generation, ready.classes, ready.input.width) == (7, 10, 224)
    items = tuple(wire.Item(i, wire.FileRef(os.fsencode(p))) for i, p in enumerate(renders[:3]))
    outbox.send(wire.Batch(5, items))
    outbox.send(wire.Stop())
    done = inbox.receive(block=True)
    assert isinstance(done, wire.Done)
    assert (done.batch, sorted(o.item for o in done.outcomes)) == (5, [0, 1, 2])
    assert process.wait(timeout=PATIENCE) == 0
    process.communicate()
    outbox.close(flush=False)
    inbox.close()
    context.term()


@pytest.mark.parametrize(("heard", "code"), [(True, EXIT_ORPHANED), (False, EXIT_NO_INIT)])
def test_a_worker_whose_coordinator_is_gone_leaves_and_cleans_up(
    spec: WorkerSpec, heard: bool, code: int
) -> None:
    Path(spec.run_dir).mkdir()
    process = begin(spec.run_dir)
    init = pack_init(wire.WorkerInit(spec, generation=1))
    process.communicate(init if heard else init[:10], timeout=PATIENCE)
    assert process.returncode == code
    assert not Path(spec.run_dir).exists()


def test_a_worker_that_is_told_to_leave_keeps_the_folder_of_the_run_that_goes_on(
    spec: WorkerSpec,
) -> None:
    Path(spec.run_dir).mkdir()
    process = begin(spec.run_dir)
    init = pack_init(wire.WorkerInit(spec, generation=1))
    process.communicate(init + LEAVE, timeout=PATIENCE)
    assert process.returncode == EXIT_ORPHANED
    assert Path(spec.run_dir).exists()


def test_a_worker_removes_no_folder_that_is_not_a_runs(tmp_path: Path) -> None:
    process = begin(str(tmp_path))
    process.communicate(b"", timeout=PATIENCE)
    assert tmp_path.exists()


@pytest.mark.parametrize("given", [b"", b"\0\0\0\5hello", b"\0\0\0\3\x92\x01\x01"])
def test_a_worker_without_a_description_says_who_starts_it(given: bytes) -> None:
    process = begin()
    _, err = process.communicate(given, timeout=PATIENCE)
    assert process.returncode == EXIT_NO_INIT
    assert b"the farm's coordinator starts this" in err
    assert b"Traceback" not in err


def test_nothing_that_starts_threads_is_imported_before_the_worker_is_pinned(
    spec: WorkerSpec,
) -> None:
    script = """
import os, sys, threading
def pin(pid, cpus):
    heavy = {"numpy", "cv2", "zmq", "onnxruntime", "rknnlite"} & set(sys.modules)
    print(sorted(heavy), threading.active_count(), len(os.listdir("/proc/self/task")))
    sys.stdout.flush()
    os._exit(0)
os.sched_setaffinity = pin
from workers.main import main
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        input=pack_init(wire.WorkerInit(replace(spec, index=1), generation=1)),
        capture_output=True,
        check=True,
    )
    assert done.stdout == b"[] 1 1\n"
