"""What a user of a board sees first: a run, on the CPUs and NPU cores that the plan promised."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from farm.api import Farm
from farm.config import loader as configfile
from farm.config.schema import FarmConfig
from farm.hardware.platforms import Platform, cpu_list
from tests.board.conftest import EMULATED, SOC
from tests.helpers.support import ROOT, children_of
from tests.helpers.told import Told


def config(board: Platform, **changes: Any) -> FarmConfig:
    """The SoC's own config; `runtime` is named for the stand-in, where no SoC is detected."""
    path = ROOT / "configs" / f"{board.name}.yaml"
    return configfile.load(path, {"runtime": "rknn", **changes})


@pytest.mark.short
def test_fifty_renders_are_classified_and_every_npu_core_does_its_share(
    board: Platform, fifty: list[Path], tmp_path: Path
) -> None:
    output = tmp_path / "results.jsonl"
    says = ["-o", str(output), "-d", str(fifty[0].parent), *([] if SOC else ["--runtime", "rknn"])]
    done = subprocess.run(
        [sys.executable, "-m", "farm.coordinator", f"configs/{board.name}.yaml", *says],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    results = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
    assert sorted(result["path"] for result in results) == sorted(map(str, fifty))
    assert all(result["error"] is None and not result["simulated"] for result in results)
    shares = Counter(result["worker"] % board.npu_cores for result in results)
    assert set(shares) == set(range(board.npu_cores))
    assert min(shares.values()) >= len(fifty) / board.npu_cores / 3, shares


@pytest.mark.short
def test_workers_and_all_their_threads_run_on_the_cpus_that_the_plan_promised(
    board: Platform,
) -> None:
    with Farm(config(board)) as farm:
        promised = cpu_list(farm.plan.workers[0].cpus)
        if SOC:
            assert promised == cpu_list(board.fast)
        pids = children_of(os.getpid())
        assert len(pids) == len(farm.plan.workers)
        for pid in pids:
            for task in Path(f"/proc/{pid}/task").iterdir():
                status = (task / "status").read_text()
                assert f"Cpus_allowed_list:\t{promised}\n" in status


@pytest.mark.short
def test_a_core_mask_is_set_where_the_soc_has_more_than_one_core(board: Platform) -> None:
    with Farm(config(board)) as farm:
        masks = {worker.core_mask for worker in farm.plan.workers}
        assert masks == (
            {1 << n for n in range(board.npu_cores)} if board.npu_cores > 1 else {None}
        )
        assert farm.bad_cores == ()


def test_an_image_gets_the_same_top5_on_every_core(board: Platform, fifty: list[Path]) -> None:
    with Farm(config(board)) as farm:
        repeated = list(farm.classify(fifty[:6] * 8))
        assert len({result.worker for result in repeated}) == len(farm.plan.workers)
    answers = {(result.path, result.top5) for result in repeated}
    assert len(answers) == 6


def test_nothing_is_said_when_nothing_is_wrong(board: Platform) -> None:
    told = Told()
    with Farm(config(board), log=told):
        pass
    assert [line for line in told if SOC or not line.startswith("cpu:")] == []


@pytest.mark.short
@pytest.mark.skipif(SOC is None, reason="the stand-in makes no board of a PC")
def test_the_doctor_finds_every_npu_core_well(board: Platform) -> None:
    if EMULATED:  # it has no NPU driver, whose node this would be
        node = Path("/dev/dri/renderD129")
        node.parent.mkdir(exist_ok=True)
        node.touch()
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from farm.cli.main import main; main()",
            "doctor",
            "--json",
            f"configs/{board.name}.yaml",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    told = json.loads(done.stdout)
    assert [check for check in told["checks"] if check["status"] == "failure"] == []
    assert done.returncode == {"ok": 0, "warning": 1}[told["overall"]]
    messages = {check["check"]: check["message"] for check in told["checks"]}
    for core in range(board.npu_cores):
        assert re.fullmatch(
            r"one inference in [\d.]+ ms, \d+ classes", messages[f"NPU core {core}"]
        )
    assert board.name in messages["SoC"]
    assert re.search(rf"glyphs-{board.model_platform}\.rknn.*toolkit 2\.", messages["model"])
