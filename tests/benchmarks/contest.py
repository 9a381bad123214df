"""Everybody's turn on the same images, NPU and machine, one after the other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from farm.api import Farm
from farm.bench.measure import measure
from farm.config.schema import FarmConfig
from farm.sources.base import IterableSource, Source
from farm.system.log import SILENT
from tests.benchmarks.npu import CORES
from tests.helpers.support import ROOT

TINY: Final = 8  # pixels square: nothing to decode, nothing to resize
TINY_MS: Final = 0.05
LOOP: Final = "plain loop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """What is classified, `paths` again and again until `count` are done, at `service_ms` each."""

    what: str
    paths: tuple[str, ...]
    count: int
    service_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One contestant's run: ms and CPU ms per image, the NPU cores' mean busy share, MB (PSS).

    `runtimes` is a farm's that decodes real images, None for others. `wrong` is how many images had
    another top-5 than the plain loop gave them.
    """

    ms: float
    cpu_ms: float
    runtimes: int | None = None
    saturation: float | None = None
    memory_mb: float | None = None
    start_seconds: float | None = None
    wrong: int = 0


def everybody(images: Images, sizes: list[int], folder: Path) -> Iterator[tuple[str, Figures]]:
    """Each contestant's name and figures; `folder` is for their time lines."""
    folder.mkdir()
    yield f"decoding alone, {len(os.sched_getaffinity(0))} loops", _decoding(images, folder)
    figures, answers = _rival("loop", 1, images, folder)
    yield LOOP, figures
    for size in sizes:
        figures, theirs = _rival("pool", size, images, folder)
        wrong = sum(theirs[path] != answers[path] for path in answers)
        yield f"thread pool, {size}", replace(figures, wrong=wrong)
    for size in sizes:
        yield f"farm, {size}", _farm(size, images, answers)
    yield "farm, 3, decoding free", _free(images.count * 2)


def _decoding(images: Images, folder: Path) -> Figures:
    """As many loops as CPUs, without an NPU: nobody who decodes as they do can be faster."""
    loops = len(os.sched_getaffinity(0))
    share = images.count // loops
    running = [_start("decode", 1, replace(images, count=share), folder) for _ in range(loops)]
    told = [_ended(process, images) for process in running]
    return Figures(
        ms=max(each["seconds"] for each in told) * 1000 / (share * loops),
        cpu_ms=sum(each["cpu_seconds"] for each in told) * 1000 / (share * loops),
    )


def _rival(
    kind: str, runtimes: int, images: Images, folder: Path
) -> tuple[Figures, dict[str, list[int]]]:
    told = _ended(_start(kind, runtimes, images, folder / kind), images)
    figures = Figures(
        ms=told["seconds"] * 1000 / images.count, cpu_ms=told["cpu_seconds"] * 1000 / images.count
    )
    return figures, told["answers"]


def _start(kind: str, runtimes: int, images: Images, folder: Path) -> subprocess.Popen[str]:
    folder.mkdir(exist_ok=True)
    figures = map(str, (runtimes, images.count, images.service_ms, folder))
    return subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.rivals", kind, *figures],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # as the farm's workers have it
    )


def _ended(process: subprocess.Popen[str], images: Images) -> dict[str, Any]:
    assert process.stdin is not None
    out, _ = process.communicate("\n".join(images.paths))
    assert process.returncode == 0, out
    told: dict[str, Any] = json.loads(out)
    return told


def _farm(size: int, images: Images, answers: dict[str, list[int]]) -> Figures:
    with Farm(_config(size, service_ms=images.service_ms), log=SILENT) as farm:
        figures = _measured(
            farm, lambda: IterableSource.from_items(islice(cycle(images.paths), images.count))
        )
        given = {
            str(result.path): [prediction.class_id for prediction in result.top5 or ()]
            for result in farm.classify(images.paths)
        }
    wrong = sum(given.get(path) != theirs for path, theirs in answers.items())
    return replace(figures, runtimes=size, wrong=wrong)


def _free(count: int) -> Figures:
    """What the farm itself costs: pictures of 8 x 8 pixels, encoded once."""
    draw = np.random.default_rng(0)
    pictures = [draw.integers(0, 256, (TINY, TINY, 3), dtype=np.uint8) for _ in range(50)]
    tiny = [cv2.imencode(".jpg", picture)[1].tobytes() for picture in pictures]
    config = _config(3, service_ms=TINY_MS, input={"width": TINY, "height": TINY})
    with Farm(config, log=SILENT) as farm:
        return _measured(farm, lambda: IterableSource.from_items(islice(cycle(tiny), count)))


def _measured(farm: Farm, images: Callable[[], Source]) -> Figures:
    found = measure(farm, images, rounds=1)
    assert found is not None
    return Figures(
        ms=found.average_ms.median,
        cpu_ms=found.cpu_ms.median,
        saturation=sum(found.saturation) / len(found.saturation),
        memory_mb=found.memory_mb,
        start_seconds=found.start_seconds,
    )


def _config(size: int, *, service_ms: float, **changes: Any) -> FarmConfig:
    values = {
        "platform": "rk3588",
        "runtime": "simulated",
        "size": size,
        "cpu": "all",
        "allow_uneven": True,
        "simulated": {"service_ms": service_ms, "npu_cores": CORES},
        **changes,
    }
    return FarmConfig.model_validate(values)
