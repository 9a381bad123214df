"""What a config asks of a board: SoC, model, memory, clocks, every NPU core; facts to findings."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from farm.doctor.board import ONNXRUNTIME, Board
from farm.doctor.compatibility import Fit, fit, version
from farm.doctor.finding import Finding, failure, ok, warning
from farm.doctor.npu_self_test import CoreTest
from farm.hardware.known_errors import INSTALL_LIBRARY, explain
from farm.hardware.platforms import HOST, SOCS, Platform, runs
from farm.hardware.rknn_file import RknnFile
from farm.hardware.sensors import Clock
from farm.scheduler.placement import FarmPlan
from workers.runtimes.base import RKNN, SIMULATED

MB: Final = 2**20
# Resident, shared pages shared out (PSS), rounded up: 48 MB a worker with rknn-toolkit-lite2 2.5.0
# on an emulated rk3588 (three workers, small images), 58 MB with ONNX Runtime 1.32 on a PC (two);
# 51 MB for the coordinator. Measured when each worker was a program of its own; forked ones share
# more, and what they are forked from takes some 20 MB.
WORKER_MB: Final = 60
COORDINATOR_MB: Final = 55
PHOTO_MB: Final = 36  # 12 megapixels as a decoder holds them, 3 bytes each
MODEL_COPIES: Final = 2  # an estimate: the file's bytes, and what the library makes of them
BUFFERS_MB: Final = 10  # the NPU's own between layers: an estimate, not measured on a board
HELD: Final = ("powersave", "userspace", "performance")  # these do not raise a clock by themselves
GOVERNORS: Final = {
    "NPU": "/sys/class/devfreq/*npu*/governor",
    "DDR": "/sys/class/devfreq/dmc/governor",
}
SEE_HEAT: Final = "head /sys/class/thermal/thermal_zone*/temp   # thousandths of a degree: too hot?"
CPU_GOVERNORS: Final = "/sys/devices/system/cpu/cpufreq/policy*/scaling_governor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """The model file that the plan chose: why it can't be read, its size, what it says itself."""

    path: Path
    refusal: str | None
    size: int
    told: RknnFile | None


def platform(config_platform: str, board: Board) -> Finding | None:
    """Whether the config is for this SoC; None where there is nothing to compare."""
    soc = board.machine.soc
    if soc is None or config_platform in (soc, HOST):
        return None
    said = f"the config is for {config_platform}, this is an {soc}"
    fix = f"npu-farm doctor configs/{soc}.yaml"
    if SOCS[config_platform].model_platform == SOCS[soc].model_platform:
        return warning("config", f"{said}; both run the same models", fix)
    return failure("config", said, fix)


def rknn_model(model: Model, platform: Platform, board: Board) -> Finding:
    """The .rknn model: there, for this SoC, and not newer than librknnrt."""
    if model.refusal is not None:
        said = f"{model.path}: {model.refusal}"
        return failure("model", said, _convert(platform.name))
    if model.told is None:
        said = f"{model.path} does not tell its SoC: encrypted, cut, or no .rknn model"
        return warning(
            "model", said, f"sha256sum {shlex.quote(str(model.path))}   # as where it was made?"
        )
    if not any(runs(platform, target) for target in model.told.targets):
        said = f"{model.path} is for {', '.join(model.told.targets)}, not for {platform.name}"
        return failure("model", said, _convert(platform.name))
    return _versions(model, model.told, board)


def _convert(platform: str) -> str:
    return f"npu-farm convert MODEL.onnx --platform {platform} --calibrate IMAGES   # on a PC"


def _versions(model: Model, told: RknnFile, board: Board) -> Finding:
    made = version(told.toolkit)
    runtime = version(board.library.version) if board.library else None
    said = f"{model.path}, for {', '.join(told.targets)}, made by toolkit {told.toolkit or '?'}"
    if made is None or runtime is None or board.library is None:
        return ok("model", said)
    how = fit(made, runtime)
    if how is Fit.NOT:
        reason = f"librknnrt {board.library.version} does not run it"
        return failure("model", f"{said}: {reason}", INSTALL_LIBRARY)
    if how is Fit.OLDER_RUNTIME:
        reason = f"librknnrt {board.library.version} is older: it may lack operators"
        return warning("model", f"{said}; {reason}", INSTALL_LIBRARY)
    return ok("model", said)


def onnx_model(model: Model, board: Board) -> list[Finding]:
    """The .onnx model and ONNX Runtime, where the CPU does the work."""
    found = board.caller.packages.get(ONNXRUNTIME)
    runtime = (
        ok("runtime", f"{ONNXRUNTIME} {found}, on the CPU")
        if found
        else failure(
            "runtime", f"{ONNXRUNTIME} is not installed", f".venv/bin/pip install {ONNXRUNTIME}"
        )
    )
    if model.refusal is None:
        return [runtime, ok("model", f"{model.path}")]
    fix = "npu-farm doctor CONFIG -m MODEL.onnx"
    return [runtime, failure("model", f"{model.path}: {model.refusal}", fix)]


def memory(plan: FarmPlan, model: Model, available_mb: int | None) -> Finding | None:
    """Whether the workers will find the memory they need; None where that can't be told."""
    if available_mb is None or plan.runtime == SIMULATED:
        return None
    each = _worker_mb(plan, model)
    size = len(plan.workers)
    need = COORDINATOR_MB + size * each
    workers = f"{size} workers need" if size > 1 else "1 worker needs"
    said = f"{workers} about {need} MB (computed), {available_mb} MB are available"
    if need <= available_mb:
        return ok("memory", said)
    fitting = (available_mb - COORDINATOR_MB) // each
    if fitting < 1:
        return warning(
            "memory", f"{said}: not enough for one", "ps -e -o rss,comm --sort=-rss | head"
        )
    cores = len({worker.npu_core for worker in plan.workers}) if plan.runtime == RKNN else 1
    size = fitting // cores * cores if fitting > cores else fitting
    return warning("memory", said, f"npu-farm run CONFIG -s {size}")


def _worker_mb(plan: FarmPlan, model: Model) -> int:
    decoding = plan.workers[0].decoders * PHOTO_MB
    return WORKER_MB + decoding + BUFFERS_MB + MODEL_COPIES * -(-model.size // MB)


def clocks(found: tuple[Clock, ...]) -> Finding | None:
    """Whether CPUs, NPU and memory may run as fast as they can; None where nothing is told."""
    if not found:
        return None
    slow = [clock for clock in found if _is_held(clock)]
    said = ", ".join(_speed(clock) for clock in slow or found)
    if not slow:
        return ok("clocks", said)
    if all(clock.governor == "performance" for clock in slow):
        return warning("clocks", f"held down: {said}", SEE_HEAT)
    files = dict.fromkeys(GOVERNORS.get(clock.name, CPU_GOVERNORS) for clock in slow)
    return warning("clocks", f"held down: {said}", f"echo performance | sudo tee {' '.join(files)}")


def _is_held(clock: Clock) -> bool:
    if clock.governor == "powersave":
        return True
    highest = clock.highest_mhz or 0
    return clock.governor in HELD and clock.name == "NPU" and clock.mhz < highest


def _speed(clock: Clock) -> str:
    below = clock.highest_mhz is not None and clock.mhz != clock.highest_mhz
    of = f" of {clock.highest_mhz}" if below else ""
    governor = f" ({clock.governor})" if clock.governor else ""
    return f"{clock.name} {clock.mhz}{of} MHz{governor}"


def core(test: CoreTest) -> Finding:
    """One NPU core's self-test; a known reason is explained."""
    name = f"NPU core {test.npu_core}"
    if test.ok:
        return ok(name, "one inference" + ("" if test.ms is None else f" in {test.ms:.1f} ms"))
    return unexplained(name, test.reason)


def unexplained(check: str, reason: str) -> Finding:
    """A failure with somebody else's reason, and what is known about that."""
    trouble = explain(reason)
    if trouble is None:
        return failure(check, reason, "sudo dmesg | tail -n 30")
    return failure(check, f"{reason}: {trouble.means}", trouble.fix)
