"""Every snippet of README and docs runs as pasted, in a clone that has what it names."""

from __future__ import annotations

import itertools
import os
import shutil
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from farm.sources.sample_images import COUNT, SEED
from tests.helpers.programs import run
from tests.helpers.server import GLYPHS, serving
from tests.helpers.snippets import command_lines, parse, python_blocks
from tests.helpers.support import ROOT, once

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXTS = [page.read_text(encoding="utf-8") for page in PAGES]
PROGRAMS = list(dict.fromkeys(block for text in TEXTS for block in python_blocks(text)))
LINES = list(dict.fromkeys(line for text in TEXTS for line in command_lines(text)))
SERVED = "localhost:8000"
# Only parsed: what measures for minutes, what needs the vendor's converter, models for an NPU; what
# serves until a signal comes, which tests/integration/test_serve.py does; what needs a terminal and
# looks at whatever farms run here, as tests/integration/test_top.py does; what works with a hub.
NOT_RUN = {"bench", "tune", "convert", "serve", "top", "hub", "join", "send", "boards"}
RUN = [line for line in LINES if not NOT_RUN & set(parse(line)[:1]) and ".rknn" not in line]


def config_for_photos(folder: Path) -> None:
    """What `make photos-model` makes, with a smaller model."""
    folder.mkdir(parents=True)
    (folder / "photos.yaml").write_text(f"platform: host\nmodel: {ROOT}/models/glyphs.onnx\n")


def make_home(folder: Path, renders: list[Path]) -> None:
    """Make a user's folder with drawn sample images and a model that was copied from a PC."""
    drawn = folder / ".cache" / "npu-farm" / f"renders-{SEED}"
    drawn.mkdir(parents=True)
    for number, render in zip(range(COUNT), itertools.cycle(renders), strict=False):
        (drawn / f"{number}-{render.name}").symlink_to(render)
    config_for_photos(folder / "photos")


@pytest.fixture
def clone(
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    renders: list[Path],
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A folder like a clone after its set-up, with photos, a model and configs of the user's."""
    for name in ("configs", "models"):
        (tmp_path / name).symlink_to(ROOT / name)
    programs = Path(sys.executable).parent
    for environment in (".venv", "env"):
        (tmp_path / environment).symlink_to(programs.parent)
    photos = tmp_path / "photos"
    photos.mkdir()
    for render in renders[:3]:
        shutil.copy(render, photos)
    shutil.copy(renders[0], tmp_path / "photo.jpg")
    (tmp_path / "list.txt").write_text("photo.jpg\n", encoding="utf-8")
    shutil.copy(ROOT / "models" / "glyphs.onnx", tmp_path / "YOUR-MODEL.onnx")
    shutil.copy(ROOT / "models" / "glyphs.labels.txt", tmp_path / "YOUR-LABELS.txt")
    config_for_photos(tmp_path / "build" / "photos")
    monkeypatch.setenv(
        "HOME", str(once(tmp_path_factory, "home", partial(make_home, renders=renders)))
    )
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


def test_there_are_snippets() -> None:
    assert len(PROGRAMS) >= 2
    assert len(RUN) >= 10
    assert len(LINES) > len(RUN)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where a farm is served; not at the port of the manual, which may be another's."""
    with serving(*GLYPHS) as server:
        yield server.url.removeprefix("http://")


@pytest.mark.parametrize("code", PROGRAMS, ids=range(len(PROGRAMS)))
def test_every_python_program_runs(code: str, clone: Path, request: pytest.FixtureRequest) -> None:
    if SERVED in code:
        code = code.replace(SERVED, request.getfixturevalue("address"))
    done = run(sys.executable, "-c", code, cwd=clone)
    assert done.returncode == 0, done.stderr
    is_module = code.partition("\n")[0].endswith(".py")  # which its first line names
    assert (done.stdout == "") == is_module


@pytest.mark.parametrize("line", RUN)
def test_every_command_line_runs(line: str, clone: Path) -> None:
    done = run("bash", "-c", line, cwd=clone)
    warned = parse(line)[0] == "doctor"  # of a board's config on a PC
    assert done.returncode in {0, 1 if warned else 0}, done.stderr
