"""The benchmark as users run it, with the simulated NPU: its facts, not its times."""

from __future__ import annotations

import csv
import io
import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from farm.coordinator.startup import FILES_BESIDES, FILES_PER_WORKER
from farm.report.bottleneck import Kind
from farm.report.format import digits
from tests.helpers.drawings import classed, said, tree
from tests.helpers.programs import NPU_FARM, Programs, missing, read_until
from tests.helpers.support import PATIENCE, ROOT

RK3588 = str(ROOT / "configs" / "rk3588.yaml")
ROW = r"^{size} +[\d.]+ s +(\d+,? ){{{cores}}}% +[\d.]+ ms +[\d.]+-[\d.]+ +[\d.]+ ms +[\d.]+ ms"


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("npu-farm")
    return subprocess.run(
        [program, "bench", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.fixture
def folder(renders: list[Path]) -> str:
    return str(renders[0].parent)


@pytest.mark.parametrize(("platform", "size", "cores"), [("rk3576", 8, 2), ("rk3588", 9, 3)])
def test_one_size_gives_its_row_the_published_figure_and_a_bottleneck(
    platform: str, size: int, cores: int, folder: str
) -> None:
    config = str(ROOT / "configs" / f"{platform}.yaml")
    done = bench(config, "-s", str(size), "-d", folder, "-r", "1", "--rounds", "1")
    assert done.returncode == 0, done.stderr
    assert f"{platform}, SIMULATED NPU of {cores} cores" in done.stdout
    assert "runtimes  execution time  core saturation  average per image" in done.stdout
    assert re.search(ROW.format(size=size, cores=cores), done.stdout, re.M)
    assert "another model, other images" in done.stdout
    assert re.search(r"bound: |too few runtimes: |nothing is at its limit: ", done.stdout)


def test_a_sweep_counts_what_it_did_and_json_csv_page_and_table_agree(
    folder: str, tmp_path: Path
) -> None:
    table, html = tmp_path / "bench.csv", tmp_path / "bench.html"
    done = bench(
        RK3588, "-c", "all", "--sizes", "3,1", "-d", folder, "-r", "2", "--rounds", "2",
        "--json", "-", "--csv", str(table), "--html", str(html),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    rows = list(csv.DictReader(io.StringIO(table.read_text(), newline="")))
    assert (found["images"], found["repeat"], found["simulated"]) == (72, 2, True)
    assert [size["runtimes"] for size in found["sizes"]] == [1, 3]
    for size, row in zip(found["sizes"], rows, strict=True):
        check(size)
        assert float(row["average_ms"]) == size["average_ms"]["median"]
        average = f"{size['average_ms']['median']:.2f} ms"
        assert re.search(rf"^{size['runtimes']} .* {average} ", done.stderr, re.M)
    assert done.stderr.count("cpu: all means CPUs 0-7; this process may use") <= 1
    assert {"CPU", "kernel", "Python", "numpy", "date", "resize"} <= set(found["machine"])
    assert len(found["verdict"]) >= 2
    written = [f"Written: {name}\n" for name in (table, html)]
    assert missing((*written, f"config  {RK3588}\n", "command: "), done.stderr) == []
    assert found["subject"]["config_name"] == rows[0]["config_name"] == RK3588
    assert found["bottleneck"]["kind"] in {kind.value for kind in Kind}
    page = tree(html.read_text(encoding="utf-8"))
    assert [part.text for part in classed(page, "bottleneck")[0]] == found["verdict"]
    averages = [size["average_ms"]["median"] for size in found["sizes"]]
    assert all(f"{digits(average)} ms" in said(page) for average in averages)
    drawn = [classed(lanes, "infer") + classed(lanes, "decode") for lanes in page.iter("details")]
    assert [spans != [] for spans in drawn] == [True, True]


def check(size: dict[str, Any]) -> None:
    """A simulated size of 72 images twice a round, two rounds."""
    runtimes = size["runtimes"]
    assert [(each["images"], each["failed"]) for each in size["rounds"]] == [(144, 0)] * 2
    assert sum(size["per_worker"].values()) == sum(n for _, n in size["distribution"]) == 288
    assert size["npu_cores"] == list(range(runtimes))
    assert [share > 0 for share in size["saturation"]] == [core < runtimes for core in range(3)]
    for each in size["rounds"]:
        assert each["coordinator_cpu_ms"] > 0
        assert each["workers_cpu_ms"] > each["coordinator_cpu_ms"]  # they decode
    assert len(size["worker_mb"]) == runtimes
    assert min(size["coordinator_mb"], *size["worker_mb"]) > 1
    assert size["start_seconds"] > 0
    # On a busy machine, 150 ms may pass without an inference.
    assert set() < {span["phase"] for span in size["spans"]} <= {"decode", "infer"}
    assert {span["worker"] for span in size["spans"]} <= set(range(runtimes))
    assert all(span["start"] < span["end"] for span in size["spans"])
    assert size["service_ms"] == 2.2
    assert size["means"]["infer"] >= 2.2


def test_on_the_host_no_word_is_of_an_npu(folder: str) -> None:
    host = str(ROOT / "configs" / "host.yaml")
    done = bench(host, "-s", "1", "-d", folder, "-r", "1", "--rounds", "1")
    assert done.returncode == 0, done.stderr
    assert "ONNX Runtime on the CPU" in done.stdout
    bottleneck = done.stdout.rpartition("\n\n")[2]
    assert bottleneck
    assert "NPU" not in bottleneck


def test_a_benchmark_needs_images_it_can_read_twice() -> None:
    done = bench(RK3588, "-d", "-")
    assert done.returncode == 2
    assert "name a folder or files" in done.stderr


def test_a_benchmark_checks_the_simulated_npu_it_turns_to(folder: str) -> None:
    cores = ("--set", "simulated.npu_cores=1", "--set", "npu_cores=[0, 2]", "-s", "2")
    done = bench(RK3588, *cores, "-d", folder)
    assert done.returncode == 2
    assert "npu_cores: [0, 2]: rk3588 has core 0 only" in done.stderr


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--sizes", "3,4"), "--size: 4: rk3588 has 3 NPU cores"),
        (("--sizes", "3,x"), "write numbers of runtimes like 1,2,3,6"),
        (("--sizes", "3", "-s", "3"), "--size or --sizes, not both"),
        (
            ("--json", "no/such/folder.json"),
            "--json no/such/folder.json: cannot create the file: No such",
        ),
        (("--json", "same.out", "--csv", "./same.out"), "--csv ./same.out: the file of --json"),
        (("--json", "-", "--csv", "-"), "only one can go to standard output"),
    ],
)
def test_what_can_not_be_is_said_before_anything_runs(
    folder: str, flags: tuple[str, ...], said: str
) -> None:
    done = bench(RK3588, "-d", folder, *flags)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""


def test_a_list_without_images_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").touch()
    done = bench(RK3588, "-d", str(tmp_path / "empty.txt"))
    assert done.returncode == 2
    assert "no images in it" in done.stderr


def test_images_that_fail_are_told_and_change_the_exit_code(tmp_path: Path, folder: str) -> None:
    (tmp_path / "empty.jpg").touch()
    done = bench(RK3588, "-s", "3", "-d", folder, "-d", str(tmp_path), "-r", "1", "--rounds", "1")
    assert done.returncode == 1
    assert "3 runtimes: 1 of 73 images failed: 1 empty" in done.stdout


def test_images_that_all_fail_are_no_measurement(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    (tmp_path / "b.jpg").write_text("no image")
    output = tmp_path / "bench.json"
    flags = ("-d", str(tmp_path / "*.jpg"), "-r", "1", "--rounds", "1", "--json", str(output))
    done = bench(RK3588, "-s", "1", *flags)
    assert done.returncode == 2
    assert "0.00 ms" not in done.stdout
    assert f"every image ended in an error; first: {tmp_path}/" in done.stderr
    assert not output.exists()


def test_a_farm_that_fails_ends_a_sweep_with_what_was_measured(folder: str, tmp_path: Path) -> None:
    output, files = tmp_path / "bench.json", FILES_BESIDES + 2 * FILES_PER_WORKER
    limited = ["sh", "-c", f'ulimit -n {files}; exec "$@"', "sh"]
    program = str(Path(sys.executable).with_name("npu-farm"))
    flags = ["--sizes", "1,3", "-d", folder, "-r", "1", "--rounds", "1", "--json", str(output)]
    done = subprocess.run(
        [*limited, program, "bench", RK3588, *flags],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert f"error: {FILES_BESIDES + 3 * FILES_PER_WORKER} more files must be opened" in done.stderr
    assert "1 runtime in detail:" in done.stdout
    assert [size["runtimes"] for size in json.loads(output.read_text())["sizes"]] == [1]


def test_a_signal_ends_a_sweep_with_what_was_measured(
    folder: str, tmp_path: Path, programs: Programs
) -> None:
    output = tmp_path / "bench.json"
    flags = ("--sizes", "3,6", "-d", folder, "-r", "1", "--rounds", "1", "--json", str(output))
    slow = ("--set", "simulated.service_ms=20")
    sweep = programs.start(NPU_FARM, "bench", RK3588, *slow, *flags)
    read_until(sweep.stdout, "3 ")
    sweep.send_signal(signal.SIGINT)
    said = sweep.communicate(timeout=PATIENCE)[1]
    assert sweep.returncode == 130
    assert "incomplete rounds do not count" in said
    assert [size["runtimes"] for size in json.loads(output.read_text())["sizes"]] == [3]
