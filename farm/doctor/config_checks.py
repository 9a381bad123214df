"""What a config needs on a board: SoC, runtime, model, memory, every NPU core; pure."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from farm.config.labels import Labels
from farm.doctor.board import ONNXRUNTIME, Board
from farm.doctor.compatibility import Fit, fit, version
from farm.doctor.finding import Finding, failure, ok, warning
from farm.doctor.npu_self_test import CoreTest
from farm.errors import ConfigError
from farm.hardware.known_errors import INSTALL_LIBRARY, explain
from farm.hardware.model_file import NoModel
from farm.hardware.platforms import HOST, runs
from farm.hardware.rknn_file import RknnFile
from farm.report.subject_text import file_facts
from farm.scheduler.model_fits import check_shapes
from farm.scheduler.placement import FarmPlan
from workers.errors import RuntimeFailure
from workers.runtimes.base import INSTALL_ONNX, ONNX, RKNN, SIMULATED

MB: Final = 2**20
# Resident memory with shared pages divided by their users (PSS), rounded up: 48 MB per worker with
# rknn-toolkit-lite2 2.5.0 on an emulated rk3588 (three workers, small images), 58 MB with ONNX
# Runtime 1.32 on a PC (two); 51 MB for the coordinator. Measured when each worker was a program of
# its own; forked ones share more, and the process they are forked from takes some 20 MB.
WORKER_MB: Final = 60
COORDINATOR_MB: Final = 55
PHOTO_MB: Final = 36  # 12 megapixels as a decoder holds them, 3 bytes each
MODEL_COPIES: Final = 2  # an estimate: the file's bytes, and what the library makes of them
OWN_TASK: Final = "task "  # begins what is wrong with one
BUFFERS_MB: Final = 10  # the NPU's own between layers: an estimate, not measured on a board


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """The planned model file: why it cannot be read, or what it is instead of a model (`wrong`),
    its size in bytes and its SHA-256, its own description.
    """

    path: Path
    refusal: str | None
    wrong: NoModel | None
    size: int
    sha256: str
    description: RknnFile | None

    @property
    def name(self) -> str:
        """Its path, with what tells it from others of that name."""
        return f"{self.path}, {file_facts(self.size, self.sha256)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFarm:
    """A config's plan on a board, its model file, its labels.

    A simulated farm has no model. `labels` are None if the config names none, and the error if they
    can't be read.
    """

    plan: FarmPlan
    model: Model | None
    labels: Labels | ConfigError | None
    board: Board


def platform(farm: PlannedFarm) -> Finding | None:
    """Check that the config is for this SoC; None where there is nothing to compare."""
    soc, wanted = farm.board.machine.soc, farm.plan.platform
    if farm.plan.runtime != RKNN or soc is None or wanted.name in (soc, HOST):
        return None
    message = f"the config is for {wanted.name}, this is an {soc}"
    fix = f"npu-farm doctor {soc}"
    if runs(wanted, soc):
        return warning("config", f"{message}; both run the same models", fix)
    return failure("config", message, fix)


def runtime(farm: PlannedFarm) -> Finding | None:
    """Check the runtime if it is not the NPU's, which the board checks cover."""
    if farm.plan.runtime == SIMULATED:
        return ok("runtime", "simulated: real images, simulated results and times")
    if farm.plan.runtime == RKNN:
        return None
    return on_cpu(farm.board)


def on_cpu(board: Board) -> Finding:
    """Check that models can run on this machine's CPU."""
    found = board.caller.packages.get(ONNXRUNTIME)
    if found is None:
        return failure(
            "runtime", f"{ONNXRUNTIME} is not installed: nothing here can run a model", INSTALL_ONNX
        )
    return ok("runtime", f"{ONNXRUNTIME} {found}, on the CPU")


def model(farm: PlannedFarm) -> Finding | None:
    """Check that the model exists, is for this SoC, and is not newer than librknnrt."""
    file, soc = farm.model, farm.plan.platform
    if file is None:
        return None
    on_cpu = farm.plan.runtime == ONNX
    convert = f"npu-farm convert MODEL.onnx --platform {soc.name} --calibrate IMAGES   # on a PC"
    if file.refusal is not None:
        fix = "npu-farm doctor CONFIG -m MODEL.onnx" if on_cpu else convert
        return failure("model", f"{file.path}: {file.refusal}", fix)
    if file.wrong is not None:
        return failure("model", f"{file.path}: {file.wrong.what}", file.wrong.fix)
    return ok("model", file.name) if on_cpu else _rknn_model(file, farm, convert)


def _rknn_model(file: Model, farm: PlannedFarm, convert: str) -> Finding:
    """Check what a .rknn file says of itself; `convert` makes another one."""
    soc = farm.plan.platform
    if file.description is None:
        reason = "its SoC is unknown: it is encrypted, truncated or no .rknn model"
        fix = f"sha256sum {shlex.quote(str(file.path))}   # compare with the original"
        return warning("model", f"{file.name}: {reason}", fix)
    targets = ", ".join(file.description.targets)
    if not any(runs(soc, target) for target in file.description.targets):
        return failure("model", f"{file.name}, is for {targets}, not for {soc.name}", convert)
    try:
        check_shapes(farm.plan.workers[0], file.description.inputs, file.description.outputs)
    except RuntimeFailure as refused:
        return explained("model", str(refused), soc.name)
    toolkit, library = file.description.toolkit, farm.board.library
    return _compatible(
        f"{file.name}, for {targets}, made by toolkit {toolkit or 'of unknown version'}",
        toolkit,
        library.version if library else None,
    )


def _compatible(message: str, toolkit: str | None, library: str | None) -> Finding:
    """Check the versions of a model's toolkit and of librknnrt; unknown ones are accepted."""
    made, runs_with = version(toolkit), version(library)
    how = Fit.WELL if made is None or runs_with is None else fit(made, runs_with)
    if how is Fit.NOT:
        return failure("model", f"{message}: librknnrt {library} cannot run it", INSTALL_LIBRARY)
    if how is Fit.OLDER_RUNTIME:
        reason = f"librknnrt {library} is older: it may lack operators"
        return warning("model", f"{message}; {reason}", INSTALL_LIBRARY)
    return ok("model", message)


def labels(farm: PlannedFarm) -> Finding | None:
    """Check that the labels file can be read; None if there is none."""
    match farm.labels:
        case ConfigError():
            return _bad_labels(farm.labels)
        case Labels():
            return ok("labels", f"{farm.labels.path}: {len(farm.labels.names)} names")
    return None


def names_for(classes: int, labels: object) -> Finding | None:
    """Check what the task demands of a model that runs: one label for each class; None if so."""
    try:
        if isinstance(labels, Labels) and classes:
            labels.check(classes)
    except ConfigError as error:
        return _bad_labels(error)
    return None


def _bad_labels(error: ConfigError) -> Finding:
    fix = "npu-farm doctor CONFIG --labels FILE   # the file that came with the model"
    return failure("labels", str(error).removeprefix("labels: "), fix)


def memory(farm: PlannedFarm) -> Finding | None:
    """Check that there is memory for all workers (estimated); None for a simulated farm."""
    if farm.model is None:
        return None
    plan, available_mb = farm.plan, farm.board.caller.available_mb
    decoding = plan.workers[0].decoders * PHOTO_MB
    each = WORKER_MB + decoding + BUFFERS_MB + MODEL_COPIES * -(-farm.model.size // MB)
    size = len(plan.workers)
    need = COORDINATOR_MB + size * each
    workers = f"{size} workers need" if size > 1 else "1 worker needs"
    message = f"{workers} about {need} MB (estimated); {available_mb} MB are available"
    if need <= available_mb:
        return ok("memory", message)
    fitting = (available_mb - COORDINATOR_MB) // each
    if fitting < 1:
        fix = "ps -e -o rss,comm --sort=-rss | head"
        return warning("memory", f"{message}: not enough for one worker", fix)
    cores = len({worker.npu_core for worker in plan.workers}) if plan.runtime == RKNN else 1
    size = fitting // cores * cores if fitting > cores else fitting
    return warning("memory", message, f"npu-farm run CONFIG -s {size}")


# In the order in which they are printed.
CONFIG_CHECKS: Final[tuple[Callable[[PlannedFarm], Finding | None], ...]] = (
    platform, runtime, model, labels, memory,
)  # fmt: skip


def inference(check: str, test: CoreTest, soc: str | None) -> Finding:
    """Return the finding of a self-test; `soc` has the NPU, None is the CPU."""
    if test.ok:
        took = "" if test.ms is None else f" in {test.ms:.1f} ms"
        classes = f", {test.classes} classes" if test.classes else ""
        family = f", outputs read as {test.family}" if test.family else ""
        return ok(check, f"one inference{took}{classes}{family}")
    return explained(check, test.reason, soc)


def explained(check: str, reason: str, soc: str | None) -> Finding:
    """Return a failure with its reason, and with what a known error of the NPU means and needs."""
    if reason.startswith(OWN_TASK) or f": {OWN_TASK}" in reason:
        return failure(
            check, reason, "npu-farm doctor CONFIG --task NAME --set task_options.KEY=VALUE"
        )
    if soc is None:
        return failure(check, reason, "npu-farm doctor CONFIG -m MODEL.onnx   # another model")
    known = explain(reason, soc)
    if known is None:
        return failure(check, reason, "sudo dmesg | tail -n 30")
    return failure(check, f"{reason}: {known.means}", known.fix)
