"""Benchmarks that nobody has run: made-up figures in the farm's own data."""

from __future__ import annotations

from typing import Any

from farm.hardware.sensor_sampler import Conditions
from farm.report.data import Measured, Report, Round
from farm.report.subject import Subject
from farm.results.stats import PHASES


def a_round(**changes: Any) -> Round:
    """1000 images in 1 s: 1 ms each, with 1.5 ms of CPU and half of three NPU cores."""
    values: dict[str, Any] = {
        "seconds": 1.0,
        "images": 1000,
        "failed": 0,
        "saturation": (0.5, 0.5, 0.5),
        "coordinator_cpu_ms": 0.1,
        "workers_cpu_ms": 1.4,
        "others_cpus": 0.0,
        **changes,
    }
    return Round(**values)


def measured(**changes: Any) -> Measured:
    """Three runtimes on three NPU cores and four CPUs of eight, none of which is busy."""
    size: dict[str, Any] = {
        "runtimes": 3,
        "decoders": 1,
        "decode": "exact",
        "npu_cores": (0, 1, 2),
        "cpus": (4, 5, 6, 7),
        "coordinator_cpus": tuple(range(8)),
        "service_ms": 1.5,
        "rounds": (a_round(),),
        "percentiles": dict.fromkeys(PHASES, (1.0, 2.0, 3.0)),
        "means": dict.fromkeys(PHASES, 1.5),
        "distribution": ((9.0, 400), (11.0, 600)),
        "spans": (),
        "per_worker": {0: 334, 1: 333, 2: 333},
        "start_seconds": 0.5,
        "coordinator_mb": 40.0,
        "helpers_mb": 10.0,
        "worker_mb": (24.0, 24.0, 24.0),
        "failures": {},
        "losses": 0,
        "left_out": (),
        "conditions": None,
        **changes,
    }
    return Measured(**size)


def report(*sizes: Measured, **changes: Any) -> Report:
    """A report of a simulated rk3588; of one size if none are given."""
    values: dict[str, Any] = {
        "platform": "rk3588",
        "npu_cores": 3,
        "what": "SIMULATED NPU of 3 cores at 1.5 ms per inference",
        "simulated": True,
        "images": 100,
        "repeat": 10,
        "saturation_source": "simulated, the simulated NPU's own account",
        "sizes": sizes or (measured(),),
        "published": (),
        "published_source": "",
        "subject": subject(),
        "machine": {"CPU": "a made-up one"},
        **changes,
    }
    return Report(**values)


def subject(**changes: Any) -> Subject:
    """A model and images that nobody has."""
    values: dict[str, Any] = {
        "model": "/models/small.onnx",
        "model_sha256": "0123456789abcdef" * 4,
        "model_bytes": 95_000,
        "images": ("photos/",),
        "config": {"decoders": "auto", "batch": 8},
        "command": "npu-farm bench rk3588 photos/",
        "config_name": "rk3588",
        **changes,
    }
    return Subject(**values)


def conditions(**changes: Any) -> Conditions:
    """A board whose kernel tells the NPU's load, and nothing else."""
    values: dict[str, Any] = {
        "load": (0.9, 0.9, 0.9),
        "load_samples": 7,
        "no_load": None,
        "hottest": None,
        "drops": None,
        **changes,
    }
    return Conditions(**values)
