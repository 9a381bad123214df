"""What the farm is measured beside: loops and a thread pool, as anybody would write them.

    python -m tests.benchmarks.rivals KIND RUNTIMES IMAGES NPU FOLDER < PATHS

One process each. They share the simulated NPU with the farm and nothing else: decoding is OpenCV's,
but in `ours`. Prints one JSON object: seconds, CPU seconds, and the five best classes of each path.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
import time
from collections.abc import Callable
from itertools import cycle, islice
from typing import Any, Final

import cv2
import numpy as np

from tests.benchmarks.npu import Npu
from tests.helpers.support import worker_spec
from workers.images import preprocess
from workers.protocol.messages import FileRef
from workers.protocol.spec import SimulatedSpec
from workers.runtimes.simulated import DEFAULT_INPUT, SimulatedRuntime

SIZE: Final = (224, 224)
Answer = tuple[str, tuple[int, ...]]


def decoded(path: str) -> Any:
    """The model's input, as the published examples make it."""
    picture = cv2.imread(path, cv2.IMREAD_COLOR)
    assert picture is not None
    rgb = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
    return cv2.resize(rgb, SIZE, interpolation=cv2.INTER_AREA)[np.newaxis]


def runtime(core: int, npu: Npu, folder: str) -> SimulatedRuntime:
    """A runtime on one core of the NPU, whose time lines are in `folder`."""
    spec = SimulatedSpec(
        timelines=os.path.join(folder, "npu"),
        npu_cores=npu.cores,
        service_ms=npu.service_ms,
        seed=0,
        classes=1000,
    )
    return SimulatedRuntime(worker_spec(runtime="simulated", npu_core=core, simulated=spec))


def decode(paths: list[str], _runtimes: int, _npu: Npu, _folder: str) -> list[Answer]:
    """No NPU: what decoding alone takes, the published way."""
    for path in paths:
        decoded(path)
    return []


def ours(paths: list[str], _runtimes: int, _npu: Npu, _folder: str) -> list[Answer]:
    """No NPU: what decoding alone takes, the farm's way."""
    for path in paths:
        preprocess.load(FileRef(os.fsencode(path)), DEFAULT_INPUT)
    return []


def loop(paths: list[str], _runtimes: int, npu: Npu, folder: str) -> list[Answer]:
    """One runtime, one image after another."""
    mine = runtime(0, npu, folder)
    return [(path, best(mine.infer(decoded(path))[0])) for path in paths]


def pool(paths: list[str], runtimes: int, npu: Npu, folder: str) -> list[Answer]:
    """A thread for each runtime; it holds its runtime while it decodes."""
    lock, waiting = threading.Lock(), iter(paths)
    answers: list[Answer] = []

    def work(core: int) -> None:
        mine = runtime(core, npu, folder)
        reserve = mine._timelines.reserve

        def reserve_alone(core: int, seconds: float) -> float:
            with lock:  # the file's lock is between processes, not between threads
                return reserve(core, seconds)

        mine._timelines.reserve = reserve_alone  # type: ignore[method-assign]
        while True:
            with lock:
                path = next(waiting, None)
            if path is None:
                return
            answers.append((path, best(mine.infer(decoded(path))[0])))

    threads = [threading.Thread(target=work, args=(at % npu.cores,)) for at in range(runtimes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def best(scores: Any) -> tuple[int, ...]:
    """The five best classes."""
    return tuple(int(at) for at in np.argsort(-scores, kind="stable")[:5])


KINDS: Final[dict[str, Callable[[list[str], int, Npu, str], list[Answer]]]] = {
    "decode": decode,
    "ours": ours,
    "loop": loop,
    "pool": pool,
}


def main() -> None:
    """Run what the command line names."""
    kind, runtimes, images = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    npu, folder = Npu.parse(sys.argv[4]), sys.argv[5]
    paths = sys.stdin.read().splitlines()
    cv2.setNumThreads(1)
    KINDS[kind](paths[:8], runtimes, npu, folder)  # files into memory, libraries warm
    work = list(islice(cycle(paths), images))
    begun, before = time.monotonic(), cpu_seconds()
    answers = KINDS[kind](work, runtimes, npu, folder)
    figures = {"seconds": time.monotonic() - begun, "cpu_seconds": cpu_seconds() - before}
    print(json.dumps({**figures, "answers": dict(answers)}))


def cpu_seconds() -> float:
    """User and system time of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
