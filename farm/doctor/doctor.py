"""`npu-farm doctor`: everything that must be right on a board, a line each, and what to do."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from farm.config.schema import FarmConfig
from farm.doctor import board_checks as checks
from farm.doctor import config_checks as demands
from farm.doctor.board import LIBRARY, TOOLKIT, Board
from farm.doctor.config_checks import Model
from farm.doctor.finding import Finding, Status, failure, ok, warning, worst
from farm.doctor.npu_self_test import CoreTest
from farm.errors import ConfigError, FarmError
from farm.hardware.platforms import HOST
from farm.hardware.rknn_file import describe
from farm.scheduler.placement import FarmPlan, choose_runtime
from farm.scheduler.placement import plan as make_plan
from farm.system.file_access import refusal
from farm.system.terminal import printable, shell_command
from workers.runtimes.base import ONNX, RKNN, SIMULATED

SelfTest = Callable[[FarmConfig], tuple[CoreTest, ...]]
AARCH64: Final = "aarch64"
OUR_COMMAND: Final = re.compile(r"^(npu-farm \w+) CONFIG\b")
INDENT: Final = " " * 9  # below the status, the longest being "warning"


@dataclass(frozen=True, slots=True)
class Target:
    """What is examined: a machine, what shall run on it (if that is said), how to try its NPU."""

    board: Board
    config: FarmConfig | None
    self_test: SelfTest


def examine(patient: Target) -> list[Finding]:
    """Look at everything; the NPU is tried where nothing found before makes that pointless."""
    board, config = patient.board, patient.config
    if not needs_npu(board, config):
        found = _without_npu(board, config)
    else:
        found = [*checks.board_findings(board)]
    clocks = demands.clocks(board.clocks)
    found += [clocks] if clocks is not None else []
    if config is None:
        return found
    found += _asked(config, board)
    if choose_runtime(config, board.machine) != RKNN:
        return found
    if worst(found) is Status.FAILURE:
        return [*found, ok("NPU cores", "not tried: first what failed above")]
    return found + _tried(config, patient.self_test)


def needs_npu(board: Board, config: FarmConfig | None) -> bool:
    """Whether anything is to run on an NPU of this machine.

    Without a config, or where it leaves that open, so it is on a board, and in a container on
    aarch64: one that was not given the device tree does not look like a board.
    """
    if config is not None and config.runtime != "auto":
        return config.runtime == RKNN
    if config is not None and config.platform == HOST:
        return False
    return board.machine.soc is not None or (board.container and board.caller.arch == AARCH64)


def _without_npu(board: Board, config: FarmConfig | None) -> list[Finding]:
    what = board.model or f"{board.caller.arch}, no device tree"
    soc = board.machine.soc
    if soc is not None:
        return [ok("SoC", f"{soc}, {what}; the config does not use its NPU")]
    found = [ok("SoC", f"none of Rockchip's: {what}")]
    missing = _missing(board)
    if missing:
        said = f"no {', '.join(missing)}: an NPU needs them, configs/host.yaml does not"
        found.append(ok("NPU", said))
    if config is not None and config.platform != HOST and config.runtime == "auto":
        said = f"the config is for {config.platform}; here the farm runs on the CPU (ONNX Runtime)"
        simulated = "npu-farm run CONFIG --runtime simulated   # make-believe answers, real images"
        found.append(warning("config", said, simulated))
    return found


def _missing(board: Board) -> list[str]:
    there = {
        "NPU driver": board.driver is not None,
        "NPU device node": any(node.driver for node in board.npu_nodes()),
        f"/{LIBRARY}": board.library is not None,
        TOOLKIT: TOOLKIT in board.caller.packages,
    }
    return [name for name, present in there.items() if not present]


def _asked(config: FarmConfig, board: Board) -> list[Finding]:
    try:
        plan = make_plan(config, board.machine, "(none)")
    except ConfigError as error:
        return [
            failure("config", str(error), "npu-farm doctor --help   # the flags that change it")
        ]
    uses_npu = plan.runtime == RKNN
    platform = demands.platform(config.platform, board) if uses_npu else None
    found = [platform] if platform is not None else []
    if plan.runtime == SIMULATED:
        return [*found, ok("runtime", "simulated: real images, make-believe answers and times")]
    model = _model(plan)
    if plan.runtime == ONNX:
        found += demands.onnx_model(model, board)
    else:
        found.append(demands.rknn_model(model, plan.platform, board))
    memory = demands.memory(plan, model, board.available_mb)
    return [*found, memory] if memory is not None else found


def _model(plan: FarmPlan) -> Model:
    path = Path(plan.workers[0].model)
    why = refusal(path)
    return Model(
        path=path,
        refusal=why,
        size=os.path.getsize(path) if why is None else 0,
        told=describe(path),
    )


def _tried(config: FarmConfig, self_test: SelfTest) -> list[Finding]:
    try:
        return [demands.core(test) for test in self_test(config)]
    except FarmError as error:
        return [demands.unexplained("self-test", str(error))]


def naming(findings: list[Finding], config: Path) -> list[Finding]:
    """Put the config's path into the fixes, so that they can be pasted."""
    path = shlex.quote(str(config))
    return [replace(f, fix=OUR_COMMAND.sub(lambda m: f"{m[1]} {path}", f.fix)) for f in findings]


def more(board: Board) -> str | None:
    """What would be looked at, too, if a config was named; None on a machine that is no board."""
    if board.machine.soc is None:
        return None
    command = shell_command(f"npu-farm doctor configs/{board.machine.soc}.yaml")
    return f"for the model, the memory and every NPU core: {command}"


def lines(findings: list[Finding]) -> list[str]:
    """The findings for a terminal: status, check, message, and the fix beneath."""
    width = max((len(f.check) for f in findings), default=0)
    said = []
    for f in findings:
        said.append(f"{f.status.word:<8} {f.check:<{width}}  {printable(f.message)}")
        if f.fix:
            said.append(f"{INDENT}fix: {printable(shell_command(f.fix))}")
    return [*said, _sum(findings)]


def _sum(findings: list[Finding]) -> str:
    counts = [(status, sum(f.status is status for f in findings)) for status in reversed(Status)]
    bad = [
        f"{count} {status.word}{'s' if count > 1 else ''}"
        for status, count in counts
        if count and status is not Status.OK
    ]
    return ", ".join(bad) or "all is well"


def as_json(findings: list[Finding]) -> str:
    """The same for programs: the worst status, and each finding with fix null where none is due."""
    rows = [
        {
            "check": f.check,
            "status": f.status.word,
            "message": f.message,
            "fix": shell_command(f.fix) or None,
        }
        for f in findings
    ]
    return json.dumps({"overall": worst(findings).word, "checks": rows}, indent=2)
