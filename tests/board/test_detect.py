"""Detectors on a board: our own, and a real export of the vendor's model zoo.

On the emulated one and the stand-in, what comes out is noise: it may be no boxes, or refused as no
scores, but nothing else goes wrong.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from farm.api import Farm
from farm.config import loader as configfile
from farm.config.bundled import find_config
from farm.config.schema import FarmConfig
from farm.hardware.platforms import Platform
from farm.results.result import Result
from tests.helpers.support import SHARED_DATA

ZOO = Path(os.environ.get("ZOO", SHARED_DATA / "detect" / "lpd-yolov8n-rk3588.rknn"))


def detect(config: FarmConfig, images: list[Path], board: Platform) -> tuple[list[Result], str]:
    with Farm(config) as farm:
        results = list(farm.classify(images))
        assert {worker.npu_core for worker in farm.plan.workers} == set(range(board.npu_cores))
        return results, farm.reading


def check(results: list[Result], count: int) -> None:
    assert len(results) == count
    for result in results:
        if result.error is not None:
            assert result.error.kind == "bad_output"
            continue
        assert result.size is not None
        for found in result.objects or ():
            left, top, right, bottom = found.box
            assert 0 <= left < right <= result.size[0]
            assert 0 <= top < bottom <= result.size[1]


@pytest.mark.short
def test_our_detector_runs_on_every_core(board: Platform, fifty: list[Path]) -> None:
    says = {"runtime": "rknn", "platform": board.name, "cpu": "all"}
    config = configfile.load(find_config("detect"), says)
    results, reading = detect(config, fifty, board)
    check(results, len(fifty))
    assert reading == "yolov8"


def test_an_export_of_the_vendors_zoo_runs_on_every_core(
    board: Platform, fifty: list[Path]
) -> None:
    if board.name != "rk3588" or not ZOO.is_file():
        pytest.skip("the export is for the rk3588, and in ../shared/data")
    config = configfile.validate(
        {"runtime": "rknn", "platform": "rk3588", "model": str(ZOO), "task": "detect"}
        | {"cpu": "all", "size": 3}
    )
    results, reading = detect(config, fifty[:12], board)
    check(results, 12)
    assert reading == "yolov8"
