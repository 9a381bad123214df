"""Tasks of users through a whole farm: what they return, and each way in which they go wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from farm.api import Farm
from farm.errors import NoWorkersError, StartError
from farm.results.result import Result
from tests.helpers.onnx_models import write_plain
from tests.helpers.programs import HOST, SIMULATED, npu_farm
from tests.helpers.support import ROOT, is_alive, simulated, wait_for
from tests.helpers.told import Told

MINE: Final = """
import os
import time
from pathlib import Path

import numpy as np

def size_of(outputs, image):
    return {"size": [image.width, image.height], "best": int(outputs[0].argmax())}

class Counter:
    def __init__(self, model, *, above):
        if model.outputs[0].size != 1000:
            raise ValueError(f"{model.outputs[0].size} scores are not 1000")
        self.above, self.made_by = above, os.getpid()

    def __call__(self, outputs, image):
        assert self.made_by == os.getpid()
        return {"above": int((outputs[0] > self.above).sum()), "worker": self.made_by}

def raises(outputs, image):
    if image.path.endswith("2.jpg"):
        raise LookupError("no such thing as " + Path(image.path).name)
    return Path(image.path).name

def hangs(outputs, image):
    while image.path.endswith("2.jpg"):
        time.sleep(1)
    return "done"

def array(outputs, image):
    return outputs[0]

def forks(outputs, image):
    child = os.fork()
    if child == 0:
        while True:
            time.sleep(1)
    if image.path.endswith("2.jpg"):
        os._exit(9)
    return child

def exits(outputs, image):
    if image.path.endswith("2.jpg"):
        os._exit(9)
    return "done"
"""

SCRIPT = """
from farm.api import Farm
from farm.config.loader import validate

with open("imports", "a") as imports:
    imports.write(".")
assert len(open("imports").read()) < 9

def f(outputs, image):
    return 1

config = {"platform": "host", "runtime": "simulated", "size": 2, "task": "script:f"}
with Farm(validate(config)) as farm:
    print(list(farm.classify(["1.jpg"])))
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the user's module, which is the current one."""
    (tmp_path / "mine.py").write_text(MINE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def images(here: Path, renders: list[Path]) -> list[Path]:
    """Five images with short names."""
    copies = [here / f"{number}.jpg" for number in range(5)]
    for copy, render in zip(copies, renders, strict=False):
        copy.write_bytes(render.read_bytes())
    return copies


def results_of(images: list[Path], task: str, **changes: Any) -> list[Result]:
    with Farm(simulated(task=task, **changes)) as farm:
        return list(farm.classify(images, ordered=True))


def test_a_function_is_called_for_each_image(images: list[Path]) -> None:
    found = results_of(images, "mine:size_of")
    assert [result.error for result in found] == [None] * 5
    assert all(result.top5 is None and result.objects is None for result in found)
    for result in found:
        assert result.output["size"] in ([500, 375], [375, 500]) or min(result.output["size"]) > 300
        assert 0 <= result.output["best"] < 1000


def test_a_class_is_made_once_in_each_worker_with_its_options(images: list[Path]) -> None:
    found = results_of(images * 20, "mine:Counter", task_options={"above": 0.05})
    made_by = {(result.worker, result.output["worker"]) for result in found}
    assert len(made_by) == len({worker for worker, _ in made_by})
    assert all(0 < result.output["above"] < 20 for result in found)


def test_one_that_raises_ends_its_image_and_the_farm_goes_on(images: list[Path]) -> None:
    found = results_of(images, "mine:raises")
    assert [result.output for result in found] == ["0.jpg", "1.jpg", None, "3.jpg", "4.jpg"]
    error = found[2].error
    assert error is not None
    assert error.kind == "task_failed"
    assert "LookupError: no such thing as 2.jpg" in error.message
    assert found[2].attempts == 1  # it is not tried again: it would raise again


def test_one_that_hangs_costs_its_image_alone(images: list[Path]) -> None:
    found = results_of(images, "mine:hangs", batch_seconds=1.0, batch=2)
    assert [result.output for result in found] == ["done", "done", None, "done", "done"]
    assert found[2].error is not None
    assert found[2].error.kind == "worker_died"
    assert "mine.py" in found[2].error.message


def test_one_that_ends_its_worker_costs_its_image_alone(images: list[Path]) -> None:
    found = results_of(images, "mine:exits", batch=2)
    assert [result.output for result in found] == ["done", "done", None, "done", "done"]
    assert found[2].error is not None
    assert found[2].error.kind == "worker_died"


def test_what_a_task_has_started_ends_with_its_worker(images: list[Path]) -> None:
    with Farm(simulated(task="mine:forks", batch=1, size=1)) as farm:
        started = [result.output for result in farm.classify(images, ordered=True)]
        assert wait_for(lambda: not any(map(is_alive, started[:2])))  # as their worker has died
        assert all(map(is_alive, started[3:]))
    assert wait_for(lambda: not any(map(is_alive, started[3:])))


def test_a_script_whose_task_is_its_own_starts_one_farm(here: Path) -> None:
    """Each worker imports it, and would start a farm, whose workers import it, ..."""
    (here / "script.py").write_text(SCRIPT, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "script.py"], capture_output=True, text=True, check=False, cwd=here,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=60,
    )  # fmt: skip
    assert (here / "imports").read_text() == "..."  # the script itself and two workers
    assert "can't start a farm" in done.stderr.splitlines()[-1]


def test_a_worker_with_a_changed_module_does_not_join(here: Path, images: list[Path]) -> None:
    told = Told()
    with Farm(simulated(task="mine:exits", batch=1, size=1), log=told) as farm:
        assert [result.output for result in farm.classify(images[:1])] == ["done"]
        (here / "mine.py").write_text(MINE.replace("done", "new"), encoding="utf-8")
        with pytest.raises(NoWorkersError, match="mine:exits has changed since the farm started"):
            list(farm.classify(images[2:]))


def test_one_that_returns_an_array_is_told_what_to_return(images: list[Path]) -> None:
    found = results_of(images, "mine:array")
    assert [result.error is not None and result.error.kind for result in found] == (
        ["task_failed"] * 5
    )
    assert found[0].error is not None
    assert "numpy.ndarray" in found[0].error.message


@pytest.mark.parametrize(
    ("task", "options", "said"),
    [
        ("nowhere:f", {}, "no module nowhere"),
        ("mine:Counter", {"above": 0.5, "blow": 1}, "has no option blow: it takes above"),
        ("mine:Counter", {"above": 0.5}, "ValueError: 7 scores are not 1000"),
    ],
)
def test_one_that_cannot_be_made_is_told_at_the_start(
    task: str, options: dict[str, Any], said: str
) -> None:
    with (
        pytest.raises(StartError, match=said),
        Farm(simulated(task=task, task_options=options, simulated={"classes": 7})),
    ):
        pass


def test_the_module_is_not_imported_in_the_coordinator(images: list[Path]) -> None:
    (images[0].parent / "mine.py").write_text(
        "import os\nPID = os.getpid()\ndef f(outputs, image):\n    return PID\n", encoding="utf-8"
    )
    found = results_of(images, "mine:f")
    assert os.getpid() not in {result.output for result in found}
    assert "mine" not in sys.modules


def test_a_simulated_detector_finds_objects_and_says_it_is_one(images: list[Path]) -> None:
    found = results_of(images, "detect")
    assert all(result.simulated and result.objects for result in found)
    for result in found:
        assert result.size is not None
        for each in result.objects or ():
            left, top, right, bottom = each.box
            assert 0 <= left < right <= result.size[0]
            assert 0 <= top < bottom <= result.size[1]


def test_the_command_line_runs_an_own_task(here: Path, images: list[Path]) -> None:
    done = npu_farm(
        "run", *SIMULATED, "--task", "mine:Counter", "--set", "task_options.above=0.05",
        "--set", "truth=null", "-d", str(images[0]), "-o", str(here / "out.jsonl"), cwd=here,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (line,) = (here / "out.jsonl").read_text().splitlines()
    assert json.loads(line)["output"]["above"] > 0
    assert "top5" not in json.loads(line)


def test_a_results_file_is_resumed_by_a_run_of_its_own_kind_of_task(
    here: Path, images: list[Path]
) -> None:
    output = here / "out.jsonl"

    def resumed(task: str, *words: Path) -> int:
        listed = ("-o", str(output), "--resume", *map(str, words))
        done = npu_farm("run", *SIMULATED, "--set", "truth=null", "--task", task, *listed, cwd=here)
        return done.returncode

    assert resumed("detect", *images[:2]) == 0
    before = output.read_bytes()
    assert [resumed(task, *images) for task in ("classify", "mine:size_of")] == [2, 2]
    assert output.read_bytes() == before
    assert resumed("detect", *images) == 0
    assert output.read_bytes().startswith(before)
    lines = [json.loads(line) for line in output.read_text().splitlines()]
    assert sorted(line["path"] for line in lines) == sorted(map(str, images))
    assert all(line["objects"] and len(line["size"]) == 2 for line in lines)


@pytest.mark.parametrize(
    ("task", "said"),
    [("detect", "try --task classify"), ("mine:Counter", "36 scores are not 1000")],
)
def test_a_refused_model_ends_with_3_and_the_doctor_says_the_same_beforehand(
    here: Path, images: list[Path], task: str, said: str
) -> None:
    pytest.importorskip("onnxruntime")
    model = str(write_plain(here / "net.onnx", 36))
    words = ["-m", model, "--task", task, "--set", "labels=null", "--set", "truth=null"]
    if task != "detect":
        words += ["--set", "task_options.above=0.05"]
    done = npu_farm("run", HOST, *words, "-d", str(images[0]), cwd=here)
    assert done.returncode == 3
    assert said in " ".join(done.stderr.split())
    told = npu_farm("doctor", HOST, "--json", *words, cwd=here)
    assert told.returncode == 2
    (bad,) = [each for each in json.loads(told.stdout)["checks"] if each["status"] == "failure"]
    assert said in bad["message"]
