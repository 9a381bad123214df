"""Reports of made-up benchmarks whose figures go together: a small model of the farm makes them."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import Any, Final

from farm.hardware.sensor_sampler import Conditions, Drop
from farm.report.data import Measured, Report, Round, Span
from farm.report.published import SOURCE, published
from farm.results.latency import Histogram
from tests.helpers.figures import subject

SIZES: Final = (1, 2, 3, 6, 9, 12, 15)
STEPS: Final = ("queue", "decode", "wait", "infer", "total")
IMAGES: Final = 800
NPU_MS: Final = 2.6
DECODE_MS: Final = 1.7
CPUS: Final = 2
IN_HAND: Final = 8  # images, of each worker
BOARD: Final = Conditions(
    load=(0.91, 0.90, 0.88),
    load_samples=17,
    no_load=None,
    hottest=("npu-thermal", 71.3),
    drops=(Drop(clock="CPU 4-7", before=2256, after=1608, governor="ondemand"),),
)


def report(*, sizes: tuple[int, ...] = SIZES, cores: int = 3, **changes: Any) -> Report:
    """A benchmark of the simulated NPU, with `changes` to it."""
    values: dict[str, Any] = {
        "platform": "rk3588",
        "npu_cores": cores,
        "what": f"SIMULATED NPU of {cores} cores at {NPU_MS} ms per inference",
        "simulated": True,
        "images": 250,
        "repeat": 4,
        "saturation_source": "simulated, the simulated NPU's own account",
        "sizes": tuple(measured(size, cores) for size in sizes),
        "published": published("rk3588"),
        "published_source": SOURCE,
        "subject": subject(),
        "machine": {
            "date": "2025-11-22T21:14:03+01:00",
            "CPU": "AMD EPYC <7B13> & friends",
            "CPUs": "0-1",
            "memory": "7.8 GB",
            "kernel": "Linux 6.1.0 x86_64",
            "Python": "CPython 3.11.2",
            "numpy": "2.1.3",
            "opencv-python-headless": "4.10.0.84",
        },
        **changes,
    }
    return Report(**values)


def on_a_board(**changes: Any) -> Report:
    """The same from a board, hot, its largest size with a bad core, losses and failed images."""
    made = report(sizes=changes.pop("sizes", SIZES))
    sizes = tuple(replace(size, conditions=BOARD) for size in made.sizes)
    failures = {"truncated": 8, 'not "an" <image> & more': 4}
    troubled = replace(sizes[-1], failures=failures, losses=2, left_out=(1,))
    values = {
        "simulated": False,
        "what": "RKNN on the NPU",
        "sizes": (*sizes[:-1], troubled),
        "saturation_source": "the kernel's NPU load",
        **changes,
    }
    return replace(made, **values)


def measured(size: int, cores: int = 3, *, decoders: int = 1) -> Measured:
    """Three rounds of `size` runtimes."""
    draw = random.Random(size * 100 + cores)  # noqa: S311 - figures, not secrets
    runs = [_Run(size, cores, draw) for _ in range(3)]
    histograms = {step: Histogram() for step in STEPS}
    for step, ms in (item for run in runs for times in run.times for item in times.items()):
        histograms[step].add(ms)
    return Measured(
        runtimes=size,
        decoders=decoders,
        decode="exact",
        npu_cores=tuple(range(min(size, cores))),
        cpus=tuple(range(CPUS)),
        coordinator_cpus=tuple(range(CPUS)),
        service_ms=NPU_MS,
        rounds=tuple(run.round() for run in runs),
        percentiles={
            step: (each.percentile(50), each.percentile(90), each.percentile(99))
            for step, each in histograms.items()
        },
        means={step: each.mean for step, each in histograms.items()},
        distribution=histograms["total"].buckets(),
        spans=tuple(span for span in runs[0].spans if span.end < 400),
        per_worker=dict(Counter(span.worker for span in runs[0].spans if span.phase == "infer")),
        start_seconds=0.31 + 0.04 * size,
        coordinator_mb=38.5,
        helpers_mb=12.0,
        worker_mb=tuple(24.0 + index % 3 for index in range(size)),
        failures={},
        losses=0,
        left_out=(),
        conditions=None,
    )


class _Run:
    """One round: every image is decoded by the next worker that is free, then inferred."""

    def __init__(self, size: int, cores: int, draw: random.Random) -> None:
        self._cores = cores
        self._busy = [0.0] * cores
        self.spans: list[Span] = []
        self.times: list[dict[str, float]] = []
        self._ends: list[float] = []
        decoder, runtime, core = [0.0] * size, [0.0] * size, [0.0] * cores
        cpu = [0.0] * CPUS
        for number in range(IMAGES):
            worker = min(range(size), key=lambda each: (decoder[each], each))
            submitted = self._ends[number - size * IN_HAND] if number >= size * IN_HAND else 0.0
            at = min(range(CPUS), key=cpu.__getitem__)
            begun = max(submitted, decoder[worker], cpu[at])
            decoded = begun + draw.lognormvariate(-0.1, 0.45) * DECODE_MS
            asked = max(decoded, runtime[worker]) + 0.1
            took = max(asked, core[worker % cores]) + NPU_MS
            decoder[worker] = max(decoded, runtime[worker])  # one image waits ready, no more
            cpu[at], runtime[worker], core[worker % cores] = decoded, took, took
            self._busy[worker % cores] += NPU_MS
            self.spans += [
                Span(worker=worker, phase="decode", start=begun, end=decoded),
                Span(worker=worker, phase="infer", start=asked, end=took),
            ]
            self._ends.append(took)
            self.times.append(
                {
                    "queue": begun - submitted,
                    "decode": decoded - begun,
                    "wait": asked - decoded,
                    "infer": took - asked,
                    "total": took - submitted,
                }
            )

    def round(self) -> Round:
        ms = max(self._ends)
        return Round(
            seconds=ms / 1000,
            images=IMAGES,
            failed=0,
            saturation=tuple(busy / ms for busy in self._busy),
            coordinator_cpu_ms=0.06,
            workers_cpu_ms=1.68,
            others_cpus=0.05,
        )
