"""Tunes and `size: auto` with real workers on the simulated NPU: what they do, not how fast."""

from __future__ import annotations

import logging
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from farm.bench import tune
from farm.bench.tune_search import Search, SearchSpace, Trial, search
from farm.config.bundled import find_config
from farm.config.loader import load
from farm.errors import EXIT_OK, EXIT_SOME_FAILED
from tests.helpers.figures import measured
from tests.helpers.programs import Programs, read_until
from tests.helpers.support import PATIENCE, glyphs

SHORT = """
from farm.api import auto_size
from farm.bench import measure, tune
auto_size.ROUND_SECONDS = tune.ROUND_SECONDS = measure.WARM_UP_SECONDS = 0.03
from farm.cli.main import main
main()
"""
CONFIG = """\
# ours
platform: rk3576
runtime: simulated
cpu: all
images: {images}
# size: 2      # runtimes
simulated:
  service_ms: 1
"""
NPU_CORES = 2


@pytest.fixture
def config(tmp_path: Path, renders: list[Path]) -> Path:
    path = tmp_path / "board.yaml"
    path.write_text(CONFIG.format(images=os.path.relpath(renders[0].parent, tmp_path)))
    return path


@pytest.fixture
def cache(tmp_path: Path, renders: list[Path]) -> dict[str, str]:
    """An environment whose cache of renders is full: two of each are enough here."""
    folder = tmp_path / "cache" / "npu-farm" / "renders-7"
    folder.mkdir(parents=True)
    for number in range(200):
        (folder / f"{number}.jpg").symlink_to(renders[number % len(renders)])
    return {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}


def short(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", SHORT, *arguments],
        capture_output=True, text=True, check=False, env=env,
    )  # fmt: skip


def request(config: Path, *images: str) -> tune.Request:
    return tune.Request(config=str(config), images=images, recursive=False, output=None)


def test_a_simulated_tune_shows_its_trials_and_writes_only_where_it_is_told(
    config: Path, tmp_path: Path
) -> None:
    before = config.read_text()
    (tmp_path / "sub").mkdir()
    output = tmp_path / "sub" / "tuned.yaml"
    done = short("tune", str(config), "-o", str(output))
    assert done.returncode == 0, done.stderr
    rows = re.findall(r"^(\d+) +(auto|\d)(?: \(\d\))? +same +[\d.]+ ms +[\d.]+-", done.stdout, re.M)
    assert len(rows) >= 4  # three sizes at least, and one more number of decoders
    assert [int(size) for size, _ in rows[:3]] == [2, 4, 6]
    size = int(
        re.findall(r"^size: (\d+), at [\d.]+ ms per image, simulated: ", done.stdout, re.M)[0]
    )
    assert size % NPU_CORES == 0
    assert "SIMULATED NPU of 2 cores at 1 ms" in done.stdout
    assert "simulated: this measured how fast this machine decodes, not an rk3576" in done.stderr
    assert f"config  {config}\n" in done.stdout
    assert f"Written: {output}\n" in done.stderr
    assert config.read_text() == before
    made, old = load(output, {}), load(config, {})
    by_default = 2 * NPU_CORES  # it is not written
    assert (made.size or by_default, made.images) == (size, old.images)
    assert output.read_text().startswith("# ours\nplatform: rk3576\n")
    kept = {"platform", "runtime", "cpu", "simulated"}
    written, given = (yaml.safe_load(path.read_text()) for path in (output, config))
    assert all(written[key] == given[key] for key in kept)


@pytest.fixture
def one_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tunes in this process that end with the smallest size; no other program is seen."""
    monkeypatch.setattr("farm.bench.tune.others_share", lambda _size: 0.0)
    monkeypatch.setattr("farm.bench.tune.ROUND_SECONDS", 0.03)
    monkeypatch.setattr("farm.bench.measure.WARM_UP_SECONDS", 0.03)

    def ended(at: SearchSpace, done: list[Trial]) -> Search:
        found = search(at, done)
        return replace(found, next_choice=None) if done else found

    monkeypatch.setattr("farm.bench.tune.search", ended)


@pytest.mark.usefixtures("one_trial")
def test_a_simulated_tune_that_is_told_no_file_writes_none(
    config: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "farm")
    before = config.read_text()
    assert tune.tune(load(config, {}), request(config)) == EXIT_OK
    assert "-o FILE" in caplog.text
    assert (config.read_text(), list(config.parent.glob("*.yaml*"))) == (before, [config])


@pytest.mark.usefixtures("one_trial")
def test_a_tune_of_what_is_measured_writes_the_config_itself(
    tmp_path: Path, renders: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    path, link = tmp_path / "host.yaml", tmp_path / "link.yaml"
    model = glyphs().model
    path.write_text(f"platform: host  # this\nmodel: {model}\nsize: auto   # so many\n")
    path.chmod(0o640)
    link.symlink_to(path)
    assert tune.tune(load(link, {}), request(link, str(renders[0].parent))) == EXIT_OK
    assert "- size: auto   # so many\n+ size: 1      # so many\n" in capsys.readouterr().out
    written = f"platform: host  # this\nmodel: {model}\nsize: 1      # so many\n"
    assert path.read_text() == written
    assert (link.is_symlink(), path.stat().st_mode & 0o777) == (True, 0o640)


@pytest.mark.usefixtures("one_trial")
@pytest.mark.parametrize("named", [False, True])
def test_a_tune_beside_busy_programs_says_so_and_writes_only_where_it_is_told(
    named: bool,
    tmp_path: Path,
    renders: list[Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("farm.bench.tune.others_share", lambda _size: 0.7)
    path, other = tmp_path / "host.yaml", tmp_path / "other.yaml"
    path.write_text(f"platform: host\nmodel: {glyphs().model}\nsize: auto\n")
    before = path.read_text()
    asked = replace(request(path, str(renders[0].parent)), output=other if named else None)
    assert tune.tune(load(path, {}), asked) == EXIT_OK
    assert "other programs used 70 % of the CPUs" in capsys.readouterr().out
    assert (path.read_text(), other.exists()) == (before, named)


@pytest.mark.usefixtures("one_trial")
def test_a_bundled_config_is_never_changed_but_may_be_copied(
    tmp_path: Path, renders: list[Path], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "farm")
    bundled = find_config("host")
    before, images, copy = bundled.read_text(), (str(renders[0].parent),), tmp_path / "farm.yaml"
    assert tune.tune(load(bundled, {}), request(bundled, *images)) == EXIT_OK
    assert "bundled" in caplog.text
    assert "-o FILE" in caplog.text
    to_copy = tune.Request(config="host", images=images, recursive=False, output=copy)
    assert tune.tune(load(bundled, {}), to_copy) == EXIT_OK
    assert bundled.read_text() == before
    made, model = load(copy, {}), load(bundled, {}).model
    assert made.size == 1
    assert made.model is not None
    assert model is not None
    assert made.model.samefile(model)


@pytest.mark.usefixtures("one_trial")
def test_a_tune_in_which_a_worker_was_lost_writes_nothing(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = measured(losses=1)
    monkeypatch.setattr("farm.bench.tune.trial", lambda *_: lost)
    output = tmp_path / "tuned.yaml"
    request = tune.Request(config=str(config), images=(), recursive=False, output=output)
    assert tune.tune(load(config, {}), request) == EXIT_SOME_FAILED
    assert not output.exists()


def test_a_tune_that_is_stopped_says_what_is_best_so_far_and_writes_nothing(
    config: Path, tmp_path: Path, programs: Programs
) -> None:
    output = tmp_path / "tuned.yaml"
    work = programs.start(sys.executable, "-c", SHORT, "tune", str(config), "-o", str(output))
    read_until(work.stdout, "2 ")
    work.send_signal(signal.SIGINT)
    out, said = work.communicate(timeout=PATIENCE)
    assert work.returncode == 130
    assert re.search(r"^size: \d, at ", out, re.M)
    assert "incomplete" in said
    assert not output.exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{platform: rk3576, runtime: simulated}\n", "set it yourself: size: 1"),
        ("platform: rk3576\nimages: '-'\n", "name a folder or files"),
        ("platform: rk3576\nimages: nowhere\n", "nowhere: no such file or folder"),
    ],
)
def test_what_can_not_be_tuned_is_said_before_anything_runs(
    tmp_path: Path, text: str, said: str, cache: dict[str, str]
) -> None:
    path = tmp_path / "board.yaml"
    path.write_text(text)
    done = short("tune", str(path), "-o", str(tmp_path / "out.yaml"), env=cache)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    assert "decoder_cpu " not in done.stdout
    assert not (tmp_path / "out.yaml").exists()


def test_images_that_are_none_end_a_tune(config: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    done = short("tune", str(config), "-d", str(tmp_path / "empty.jpg"), "-o", f"{tmp_path}/o.yaml")
    assert done.returncode == 2
    assert "every image ended in an error; first: " in done.stderr
    assert not (tmp_path / "o.yaml").exists()


def test_a_run_with_size_auto_measures_renders_and_leaves_the_images_to_the_run(
    config: Path, renders: list[Path], cache: dict[str, str]
) -> None:
    listed = "\n".join(map(str, renders[:10]))
    done = subprocess.run(
        [sys.executable, "-c", SHORT, "run", str(config), "-s", "auto", "-d", "-"],
        capture_output=True, text=True, check=False, env=cache, input=listed,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = re.search(r"size: auto: (\d), at [\d.]+ ms per image; (\d) take [\d.]+ ms ", done.stderr)
    assert said is not None
    assert {said[1], said[2]} == {"2", "4"}
    assert "(measured on bundled sample images, simulated NPU)" in done.stderr
    assert len(done.stdout.splitlines()) == 10


def test_a_benchmark_with_size_auto_has_one_row_of_that_size(
    config: Path, cache: dict[str, str]
) -> None:
    done = short("bench", str(config), "-s", "auto", "-r", "1", "--rounds", "1", env=cache)
    assert done.returncode == 0, done.stderr
    size = re.findall(r"size: auto: (\d), at ", done.stderr)
    assert re.findall(r"^(\d) +[\d.]+ s ", done.stdout, re.M) == size
