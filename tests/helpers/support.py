"""Configs of small farms, and waiting for facts."""

from __future__ import annotations

import ctypes
import fcntl
import os
import platform
import re
import shutil
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from farm.config.schema import FarmConfig
from workers.images import preprocess as image
from workers.protocol.messages import FileRef, Outcome, Ranked, Ready
from workers.protocol.spec import NHWC, UINT8, InputHint, InputSpec, WorkerSpec
from workers.sched_slice import ATTRIBUTES, SET_ATTRIBUTES
from workers.tasks.classification import Scoring, rank

if TYPE_CHECKING:  # measurements run without it
    import pytest

ROOT: Final = Path(__file__).parents[2]
SHARED_DATA: Final = ROOT.parent / "shared" / "data"
VENDOR: Final = ROOT / "tests" / "fakes" / "vendor"  # a fake of the NPU vendor's package
SERVER: Final = "npu-farm-forks"
FAULTS: Final = ROOT / "tests" / "fakes" / "faults"  # what makes workers misbehave
PATIENCE: Final = 60.0  # seconds for what takes one at most; only what hangs takes them all
LINUX: Final = tuple(int(part) for part in re.findall(r"\d+", os.uname().release)[:2])
KNOWS_SLICES: Final = LINUX >= (6, 12) and platform.machine() in SET_ATTRIBUTES


def simulated(**changes: Any) -> FarmConfig:
    """A quick simulated farm of three workers on any machine."""
    values: dict[str, Any] = {
        "platform": "rk3588",
        "runtime": "simulated",
        "size": 3,
        "cpu": "all",
        "simulated": {"service_ms": 1.0},
        **changes,
    }
    return FarmConfig.model_validate(values)


def glyphs(**changes: Any) -> FarmConfig:
    """A farm with our own model on the CPU."""
    values: dict[str, Any] = {
        "platform": "host",
        "model": ROOT / "models" / "glyphs.onnx",
        "labels": ROOT / "models" / "glyphs.labels.txt",
        "size": 2,
        **changes,
    }
    return FarmConfig.model_validate(values)


def worker_spec(**changes: Any) -> WorkerSpec:
    """A worker that talks to nobody, with `changes` to what it is told."""
    values: dict[str, Any] = {
        "index": 0,
        "npu_core": 0,
        "core_mask": None,
        "cpus": (0,),
        "runtime": "onnx",
        "model": "",
        "input": InputHint(),
        "decoder_cpus": (0,),
        "decoders": 1,
        "decode": "exact",
        "max_pixels": 100_000_000,
        "simulated": None,
        "run_dir": "/nowhere",
        "inbox": "ipc:///nowhere/0",
        "sink": "ipc:///nowhere/sink",
        **changes,
    }
    return WorkerSpec(**values)


def outcome(item: int, **changes: Any) -> Outcome:
    """A classified item, its times all different, with `changes` to what became of it."""
    values: dict[str, Any] = {
        "answer": Ranked(((7, 0.5), (0, 0.25))),
        "error": None,
        "started": 12.5,
        "decode_ms": 1.5,
        "wait_ms": 0.25,
        "infer_ms": 2.0,
        "task_ms": 0.5,
        **changes,
    }
    return Outcome(item=item, **values)


def ready(*, classes: int) -> Ready:
    """The message of worker 3, in its second generation, whose model says probabilities."""
    return Ready(
        worker=3,
        generation=2,
        model="",
        input=InputSpec(width=224, height=224, layout=NHWC, dtype=UINT8),
        classes=classes,
        reading=Scoring.PROBABILITIES.name,
        self_test_ms=1.0,
    )


def expected_of_the_fake(path: Path) -> list[tuple[int, float]]:
    """The top-5 that the fake of the vendor's package owes for an image, model defaults."""
    spec = InputSpec(width=224, height=224, layout=NHWC, dtype=UINT8)
    tensor, _ = image.load(FileRef(os.fsencode(path)), spec)
    scores = np.random.default_rng(zlib.crc32(tensor.tobytes())).random((1, 36))
    (found,) = rank([scores.astype(np.float32)])
    assert isinstance(found, Ranked)
    return list(found.top5)


def wait_for(fact: Callable[[], bool], *, within: float = PATIENCE) -> bool:
    """Wait until `fact` is true; False if it is not within so many seconds."""
    until = time.monotonic() + within
    while not fact():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Return a folder that is made once in a run: the processes of pytest-xdist share it."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    with open(folder.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            half = folder.with_suffix(".half")
            shutil.rmtree(half, ignore_errors=True)  # of one that failed
            half.mkdir()
            make(half)
            half.rename(folder)
    return folder


def slice_ns(thread: int) -> int:
    """A thread's slice, as the kernel has it (sched_getattr(2), whose number is the next one)."""
    told = ctypes.create_string_buffer(ATTRIBUTES.size)
    number = SET_ATTRIBUTES[platform.machine()] + 1
    assert ctypes.CDLL(None).syscall(number, thread, told, ATTRIBUTES.size, 0) == 0
    return int(ATTRIBUTES.unpack(told.raw)[5])


def children_of(pid: int) -> list[int]:
    """The workers of the coordinator `pid` that are alive."""
    return list(names_of_children(pid))


def names_of_children(pid: int) -> dict[int, str]:
    """The same with their names; their parent is the coordinator's fork server."""
    processes = list(_processes())
    servers = [found for found, parent, name in processes if (parent, name) == (pid, SERVER)]
    of_servers = {found: name for found, parent, name in processes if parent in servers}
    return {found: name for found, name in of_servers.items() if name.startswith("worker-")}


def fork_server_of(pid: int) -> int:
    """The process that the workers of the coordinator `pid` are forked from."""
    return next(found for found, parent, name in _processes() if (parent, name) == (pid, SERVER))


def _processes() -> Iterator[tuple[int, int, str]]:
    """Every living process: its number, its parent's, its name."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            front, _, back = stat.read_text().rpartition(")")
        except OSError:
            continue
        state, parent = back.split()[:2]
        if state != "Z":
            yield int(stat.parent.name), int(parent), front.partition("(")[2]


def is_alive(pid: int) -> bool:
    """Whether the process `pid` runs."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
