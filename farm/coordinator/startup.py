"""A config to a plan and a coordinator that is about to launch it; refuses what can't work."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Final

from farm.config.labels import Labels
from farm.config.schema import FarmConfig
from farm.coordinator.coordinator import Coordinator
from farm.coordinator.limits import Limits
from farm.coordinator.run_dir import RunDir
from farm.errors import ConfigError, StartError
from farm.hardware.model_file import no_model
from farm.hardware.platforms import HOST, detect, runs
from farm.hardware.rknn_file import ONNX_SUFFIX, describe
from farm.scheduler.model_fits import check_shapes
from farm.scheduler.placement import FarmPlan, plan, with_class_numbers
from farm.system import memory
from farm.system.file_access import refusal
from farm.system.log import PLAN
from farm.system.open_files import make_room
from workers.environment import WORKER
from workers.errors import RuntimeFailure
from workers.runtimes.base import RKNN
from workers.shell import quoted, shell_command

# Pipes, sockets and their wake-up descriptors, counted with 30 workers and rounded up.
FILES_PER_WORKER: Final = 8
FILES_BESIDES: Final = 64
UNWATCHED: Final = (
    "/proc can't be read here: the memory of workers is not watched, and max_worker_mb has no "
    "effect; mount -t proc proc /proc"
)


def prepare(config: FarmConfig, log: logging.Logger) -> tuple[FarmPlan, Coordinator, Labels | None]:
    """Plan a farm on this machine and read its labels; the coordinator is the caller's to close.

    `log` gets what its user should know. Raises ConfigError if this machine can't meet the config,
    and StartError if this process may not open enough files, the model is none for the task, or
    this is a farm's worker, or started by one.
    """
    if WORKER in os.environ:  # its workers would start farms, too, without end
        raise StartError(
            f"{os.environ[WORKER]} of a farm can't start a farm: a task's module is imported in "
            "each worker; what starts the farm belongs below `if __name__ == '__main__':`"
        )
    check_open_files(1)
    labels = None if config.labels is None else Labels.load(config.labels)
    run_dir = RunDir()
    try:
        decided = plan(config, detect(), run_dir.path)
        decided = with_class_numbers(decided, labels.names if labels else ())
        _check_model(config, decided)
        check_open_files(len(decided.workers))
        for notice in decided.notices:
            log.warning(notice, extra={"event": PLAN})
        if not memory.is_shown():
            log.warning(UNWATCHED, extra={"event": PLAN})
        limits = _limits(config, len(decided.workers))
        return decided, Coordinator(decided, run_dir, limits, log), labels
    except OSError as error:
        run_dir.remove()
        raise StartError(f"the farm can't be set up: {error}") from error
    except BaseException:
        run_dir.remove()
        raise


def check_open_files(workers: int) -> None:
    """Raise StartError unless this process may open the files that so many workers need."""
    need = FILES_BESIDES + FILES_PER_WORKER * workers
    try:
        make_room(need)
    except OSError as error:
        raise StartError(
            f"{need} more files must be opened: {error.strerror}; close some, or raise the limit "
            "(ulimit -n)"
        ) from error


def _limits(config: FarmConfig, workers: int) -> Limits:
    # What is left when each worker and the coordinator have as much.
    share = memory.total_mb() / (workers + 1)
    return Limits(
        batch=config.batch,
        window=config.window,
        start_seconds=config.start_seconds,
        self_test_seconds=config.self_test_seconds,
        batch_seconds=None if config.batch_seconds == "auto" else config.batch_seconds,
        worker_mb=config.max_worker_mb or share,
        bad_cores=config.on_bad_core == "quarantine",
    )


def _check_model(config: FarmConfig, decided: FarmPlan) -> None:
    if decided.runtime == RKNN and decided.platform.name == HOST:
        raise ConfigError("runtime: rknn: the platform host has no NPU; name the SoC with -p")
    model = decided.workers[0].model
    refused = refusal(Path(model)) if model else None
    if refused is not None:
        source = config.model
        if source is not None and source.suffix == ONNX_SUFFIX and decided.runtime == RKNN:
            refused += (
                f"; an {decided.platform.name} runs what {source} is converted to, on a PC:"
                + _convert(quoted(str(source)), decided.platform.name)
            )
        raise ConfigError(f"model: {model}: {refused}")
    wrong = no_model(Path(model), decided.runtime)
    if wrong is not None:
        raise ConfigError(f"model: {model}: {wrong}")
    told = describe(Path(model)) if decided.runtime == RKNN else None
    if told is not None:
        try:
            check_shapes(decided.workers[0], told.inputs, told.outputs)
        except RuntimeFailure as failure:
            raise StartError(f"model: {failure}") from failure
    if told is not None and not any(runs(decided.platform, name) for name in told.targets):
        raise ConfigError(
            f"model: {model}: built for {', '.join(told.targets)}, which an "
            f"{decided.platform.name} does not run; convert its .onnx:"
            + _convert("MODEL.onnx", decided.platform.name)
        )


def _convert(model: str, soc: str) -> str:
    command = shell_command(f"npu-farm convert {model} --platform {soc} --calibrate IMAGES")
    return f"\n  {command}"
