"""Everybody's turn on the same images, NPU and machine, one after the other."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from farm.api import Farm
from farm.bench.measure import measure
from farm.config.schema import FarmConfig
from farm.sources.base import IterableSource, Source
from farm.system.cpu_time import busy_seconds
from farm.system.log import SILENT
from tests.benchmarks.npu import Npu
from tests.helpers.support import ROOT

TINY: Final = 8  # pixels square: nothing to decode, nothing to resize
TINY_MS: Final = 0.05
LOOP: Final = "plain loop"
FEW: Final = 3  # images of a run that mostly starts


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """What is classified on which NPU: `paths` again and again until `count` are done."""

    what: str
    paths: tuple[str, ...]
    count: int
    npu: Npu


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One contestant's run: ms and CPU ms per image, the NPU cores' mean busy share, MB (PSS).

    `limit` is `ms` over what its runtimes' NPU cores can do. `start_cpu` is the CPU seconds of a
    program of its own that classifies 3 images. `farm` is the size of one that decodes real images.
    `wrong` is how many images had another top-5 than the plain loop gave them. `foreign` is the
    share of the machine that other programs took meanwhile, 0 to 1.
    """

    ms: float
    cpu_ms: float
    limit: float | None = None
    farm: int | None = None
    saturation: float | None = None
    memory_mb: float | None = None
    start_seconds: float | None = None
    start_cpu: float | None = None
    wrong: int = 0
    foreign: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How many runtimes the pools and the farms have that are measured."""

    pools: tuple[int, ...]
    farms: tuple[int, ...]


class Contest:
    """Everybody's turns. The plain loop's answers are what the others' are compared with."""

    def __init__(self, images: Images, sizes: Sizes, folder: Path) -> None:
        self._images, self._folder = images, folder
        self._answers: dict[str, list[int]] = {}
        loops = len(os.sched_getaffinity(0))
        self._turns: dict[str, Callable[[], Figures]] = {
            LOOP: self._loop,
            f"OpenCV's decoding alone, {loops} loops": partial(self._decoding, "decode", loops),
            f"our decoding alone, {loops} loops": partial(self._decoding, "ours", loops),
        }
        for size in sizes.pools:
            self._turns[f"thread pool, {size}"] = partial(self._pool, size)
        for size in sizes.farms:
            self._turns[f"farm, {size}"] = partial(self._farm, size)
        self._turns["farm, 3, decoding free"] = self._free

    def everybody(self, run: int) -> Iterator[tuple[str, Figures]]:
        """Each contestant's name and figures; every other run begins with the last of them.

        What warms up or tires the machine then helps nobody.
        """
        turns = list(self._turns.items())
        if not self._answers:
            self._loop()
        for name, turn in turns[::-1] if run % 2 else turns:
            before, begun = _spent(), time.monotonic()
            figures = turn()
            ours, machine = (after - b for after, b in zip(_spent(), before, strict=True))
            capacity = (time.monotonic() - begun) * len(os.sched_getaffinity(0))
            yield name, replace(figures, foreign=max(0.0, machine - ours) / capacity)

    def _decoding(self, kind: str, loops: int) -> Figures:
        """As many loops as CPUs, without an NPU: nobody who decodes as they do can be faster."""
        share = replace(self._images, count=self._images.count // loops)
        running = [_start(kind, 1, share, self._folder) for _ in range(loops)]
        told = [_ended(process, share) for process in running]
        count = share.count * loops
        return Figures(
            ms=max(each["seconds"] for each in told) * 1000 / count,
            cpu_ms=sum(each["cpu_seconds"] for each in told) * 1000 / count,
        )

    def _loop(self) -> Figures:
        figures, self._answers = self._rival("loop", 1)
        return figures

    def _pool(self, size: int) -> Figures:
        figures, theirs = self._rival("pool", size)
        wrong = sum(theirs[path] != best for path, best in self._answers.items())
        return replace(figures, wrong=wrong)

    def _rival(self, kind: str, runtimes: int) -> tuple[Figures, dict[str, list[int]]]:
        images = self._images
        told = _ended(_start(kind, runtimes, images, self._folder), images)
        ms = told["seconds"] * 1000 / images.count
        few, before = replace(images, paths=images.paths[:FEW], count=FEW), _spent()[0]
        _ended(_start(kind, runtimes, few, self._folder), few)
        figures = Figures(
            ms=ms,
            cpu_ms=told["cpu_seconds"] * 1000 / images.count,
            limit=ms / images.npu.limit_ms(runtimes),
            start_cpu=_spent()[0] - before,
        )
        return figures, told["answers"]

    def _farm(self, size: int) -> Figures:
        images, before = self._images, _spent()[0]
        _command(size, images)
        start_cpu = _spent()[0] - before
        with Farm(_config(size, images.npu), log=SILENT) as farm:
            figures = _measured(
                farm, lambda: IterableSource.from_items(islice(cycle(images.paths), images.count))
            )
            given = {
                str(result.path): [prediction.class_id for prediction in result.top5 or ()]
                for result in farm.classify(images.paths)
            }
        return replace(
            figures,
            farm=size,
            limit=figures.ms / images.npu.limit_ms(size),
            start_cpu=start_cpu,
            wrong=sum(given.get(path) != best for path, best in self._answers.items()),
        )

    def _free(self) -> Figures:
        """What the farm itself costs: pictures of 8 x 8 pixels, encoded once."""
        draw, count = np.random.default_rng(0), self._images.count * 2
        pictures = [draw.integers(0, 256, (TINY, TINY, 3), dtype=np.uint8) for _ in range(50)]
        tiny = [cv2.imencode(".jpg", picture)[1].tobytes() for picture in pictures]
        npu = Npu(self._images.npu.cores, TINY_MS)
        config = _config(3, npu, input={"width": TINY, "height": TINY})
        with Farm(config, log=SILENT) as farm:
            return _measured(farm, lambda: IterableSource.from_items(islice(cycle(tiny), count)))


def _spent() -> tuple[float, float]:
    """CPU seconds so far: of this process and the children that have ended; of the machine."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    machine = busy_seconds(os.sched_getaffinity(0))
    return sum(each.ru_utime + each.ru_stime for each in used), machine or 0.0


def _command(size: int, images: Images) -> None:
    """`npu-farm run` of a few images, as a user starts it."""
    command = [sys.executable, "-m", "farm.coordinator", "rk3588", *images.paths[:FEW], "-q"]
    values = {
        **{f"simulated.{key}": value for key, value in _simulated(images.npu).items()},
        "size": size,
        "allow_uneven": "true",
        "cpu": "all",
    }
    for key, value in values.items():
        command += ["--set", f"{key}={value}"]
    subprocess.run(
        [*command, "--runtime", "simulated"], check=True, cwd=ROOT, capture_output=True, text=True
    )


def _start(kind: str, runtimes: int, images: Images, folder: Path) -> subprocess.Popen[str]:
    own = tempfile.mkdtemp(dir=folder)
    npu = f"{images.npu.cores}x{images.npu.service_ms}"
    figures = (str(runtimes), str(images.count), npu, own)
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


def _config(size: int, npu: Npu, **changes: Any) -> FarmConfig:
    values = {
        "platform": "rk3588",
        "runtime": "simulated",
        "size": size,
        "cpu": "all",
        "allow_uneven": True,
        "simulated": _simulated(npu),
        **changes,
    }
    return FarmConfig.model_validate(values)


def _simulated(npu: Npu) -> dict[str, float]:
    return {"service_ms": npu.service_ms, "npu_cores": npu.cores}
