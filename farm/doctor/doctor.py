"""`npu-farm doctor`: everything that must be right on a board, one line each, and what to do."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from farm.config.labels import Labels
from farm.config.schema import FarmConfig
from farm.doctor.board import LIBRARY, TOOLKIT, Board
from farm.doctor.board_checks import BOARD_CHECKS, clocks, resize, soc
from farm.doctor.config_checks import (
    CONFIG_CHECKS,
    Model,
    PlannedFarm,
    explained,
    inference,
    names_for,
    on_cpu,
)
from farm.doctor.finding import Finding, Status, failure, not_here, ok, warning, worst
from farm.doctor.npu_self_test import CoreTest
from farm.errors import ConfigError, FarmError
from farm.hardware.model_file import no_model
from farm.hardware.platforms import HOST, SOCS
from farm.hardware.rknn_file import describe
from farm.scheduler.placement import choose_runtime, plan
from farm.system.file_access import refusal
from workers.runtimes.base import RKNN, SIMULATED
from workers.runtimes.model_file import digest_of
from workers.shell import shell_command

ON_CPU: Final = "inference"  # the check's name


@dataclass(frozen=True, slots=True)
class Target:
    """What is examined: a machine, a config to run on it (or None), the test of its NPU cores."""

    board: Board
    config: FarmConfig | None
    self_test: Callable[[FarmConfig], tuple[CoreTest, ...]]

    def needs_npu(self) -> bool:
        """Return whether an NPU of this machine is to be used.

        Without a config, or if its runtime is `auto`: on a board, or what may be one.
        """
        if self.config is not None and self.config.runtime != "auto":
            return self.config.runtime == RKNN
        if self.config is not None and self.config.platform == HOST:
            return False
        return self.board.may_be_supported()

    def examine(self) -> list[Finding]:
        """Run all checks; the NPU cores are tested only if no check before has failed."""
        board, config = self.board, self.config
        if self.needs_npu():
            # Elsewhere, what the other checks advise would not help.
            checks = BOARD_CHECKS if board.may_be_supported() else (soc,)
            checked = [check(board) for check in checks]
        else:
            checked = [*_without_npu(board, config), clocks(board)]
        found = [finding for finding in (*checked, resize(board)) if finding is not None]
        if config is None:
            return found
        labels = _read_labels(config)
        found += _check_config(config, board, labels)
        runtime = choose_runtime(config, board.machine)
        if runtime == SIMULATED:
            return found
        if worst(found) is Status.FAILURE:
            name = "NPU cores" if runtime == RKNN else ON_CPU
            return [*found, ok(name, "not tested: fix the failures above first")]
        npu = board.machine.soc if runtime == RKNN else None
        try:
            tests = self.self_test(config)
        except FarmError as error:
            return [*found, explained("self-test", str(error), npu)]
        names = [f"NPU core {test.npu_core}" if runtime == RKNN else ON_CPU for test in tests]
        found += [inference(*each, npu) for each in zip(names, tests, strict=True)]
        classes = [test.classes for test in tests if test.ok]
        named = names_for(classes[0], labels) if classes else None
        return found if named is None else [*found, named]

    def hint(self) -> str | None:
        """Return the command that checks more, if this is a board and no config was named."""
        if self.config is not None or self.board.machine.soc is None:
            return None
        command = shell_command(f"npu-farm doctor {self.board.machine.soc}")
        return f"to check the model, the memory and every NPU core: {command}"


def _without_npu(board: Board, config: FarmConfig | None) -> list[Finding]:
    what = board.model or f"{board.caller.arch}, no device tree"
    if board.machine.soc is not None:
        return [ok("SoC", f"{board.machine.soc}, {what}; the config does not use its NPU")]
    found = [not_here("SoC", f"no board with a Rockchip NPU: {what}")]
    if (other := board.machine.unsupported) is not None:
        message = f"{what}: {other}; supported are {', '.join(SOCS)}"
        none_asked = config is not None or not board.machine.has_npu
        host = "npu-farm doctor host   # on the CPU"
        found = [not_here("SoC", message) if none_asked else warning("SoC", message, host)]
    present = {
        "NPU driver": board.driver is not None,
        "NPU device node": any(node.driver for node in board.npu_nodes()),
        f"/{LIBRARY}": board.library is not None,
        TOOLKIT: TOOLKIT in board.caller.packages,
    }
    if missing := [name for name, there in present.items() if not there]:
        found.append(not_here("NPU", f"only on a board: {', '.join(missing)}"))
    if config is None:
        found.append(on_cpu(board))
    if config is not None and config.platform != HOST and config.runtime == "auto":
        message = (
            f"the config is for {config.platform}; here the farm runs on the CPU (ONNX Runtime)"
        )
        found.append(not_here("config", message))
    return found


def _read_labels(config: FarmConfig) -> Labels | ConfigError | None:
    try:
        return None if config.labels is None else Labels.load(config.labels)
    except ConfigError as error:
        return error


def _check_config(
    config: FarmConfig, board: Board, labels: Labels | ConfigError | None
) -> list[Finding]:
    try:
        planned = plan(config, board.machine, "(none)")
    except ConfigError as error:
        fix = "npu-farm doctor --help   # the flags that change it"
        return [failure("config", str(error), fix)]
    model = None
    if planned.runtime != SIMULATED:
        path = Path(planned.workers[0].model)
        reason = refusal(path)
        size = os.path.getsize(path) if reason is None else 0
        model = Model(
            path=path,
            refusal=reason,
            wrong=no_model(path, planned.runtime) if reason is None else None,
            size=size,
            sha256=digest_of(str(path)) if reason is None else "",
            description=describe(path),
        )
    farm = PlannedFarm(plan=planned, model=model, labels=labels, board=board)
    return [found for check in CONFIG_CHECKS if (found := check(farm)) is not None]
