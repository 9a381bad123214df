"""The wheel by itself: in a new environment, an empty folder and an empty home."""

from __future__ import annotations

import json
import os
import platform
import shutil
import site
import subprocess
import sys
import tarfile
import venv
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from farm.config.bundled import NAMES
from tests.helpers.libraries import needs_compiler
from tests.helpers.programs import missing, run
from tests.helpers.support import ROOT, once

SOURCES = (
    "pyproject.toml", "setup.py", "README.md", "LICENSE", "farm", "workers", "configs", "models",
)  # fmt: skip
VENDORS = "rknn-toolkit-lite2"
BUILD = (
    "import sys; from setuptools import build_meta; getattr(build_meta, sys.argv[1])(sys.argv[2])"
)


def build(what: str, project: Path, folder: Path, **variables: str) -> Path:
    """Build the wheel or the sdist of a project into a new folder, and return it."""
    folder.mkdir()
    env = {**os.environ, **variables}
    done = run(sys.executable, "-c", BUILD, f"build_{what}", str(folder), cwd=project, env=env)
    assert done.returncode == 0, done.stderr
    (built,) = folder.iterdir()
    return built


def install(wheel: Path, environment: Path) -> None:
    """Install a wheel into a new environment, in which all that it depends on is there already."""
    venv.create(environment, symlinks=True)
    pip = (sys.executable, "-m", "pip", "--python", str(environment / "bin" / "python"))
    done = run(*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel))
    assert done.returncode == 0, done.stderr
    packages = next(environment.glob("lib/python*/site-packages"))
    # Named so, a folder brings its packages along, and none that are installed as editable.
    (packages / "dependencies.pth").write_text("\n".join(site.getsitepackages()))


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the project's `wheel` and `sdist`, and an `environment` with the wheel."""

    def make(folder: Path) -> None:
        project = folder / "project"  # a copy: building leaves files there
        project.mkdir()
        for name in SOURCES:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, project / name, symlinks=True)
            else:
                shutil.copy(ROOT / name, project)
        install(build("wheel", project, folder / "wheel"), folder / "environment")
        build("sdist", project, folder / "sdist")
        script = folder / "environment" / "bin" / "npu-farm"
        renamed = str(folder.with_suffix(""))  # as `once` does with what is made
        script.write_text(script.read_text().replace(str(folder), renamed))

    return once(tmp_path_factory, "built", make)


class Place:
    """The folder and the home of a user who has installed the wheel, with only images in it."""

    def __init__(self, root: Path, environment: Path, photos: list[Path]) -> None:
        self.folder, home, self._bin = root / "here", root / "home", environment / "bin"
        (self.folder / "photos").mkdir(parents=True)
        home.mkdir()
        for photo in photos:
            shutil.copy(photo, self.folder / "photos")
        shutil.copy(photos[0], self.folder / "photo.jpg")
        path = f"{self._bin}{os.pathsep}{os.environ['PATH']}"
        self._variables = {"HOME": str(home), "PATH": path, "LANG": "C.UTF-8"}

    def run(self, *words: str, program: str = "npu-farm") -> subprocess.CompletedProcess[str]:
        """Run a program of the environment in the folder."""
        return run(str(self._bin / program), *words, cwd=self.folder, env=self._variables)


@pytest.fixture
def place(built: Path, tmp_path: Path, renders: list[Path]) -> Place:
    return Place(tmp_path, built / "environment", renders[:6])


def test_it_has_every_config_and_model_and_nothing_of_how_they_were_made(built: Path) -> None:
    (wheel,) = (built / "wheel").iterdir()
    with zipfile.ZipFile(wheel) as files:
        names = [name for name in files.namelist() if name.startswith("farm/bundled/")]
    kept = ("*.onnx", "*.rknn", "*.labels.txt")
    models = [path.name for each in kept for path in (ROOT / "models").glob(each)]
    assert sorted(names) == sorted(
        [
            *(f"farm/bundled/configs/{name}.yaml" for name in NAMES),
            "farm/bundled/configs/schema.json",
            *(f"farm/bundled/models/{name}" for name in models),
        ]
    )


@pytest.mark.parametrize(
    ("machine", "python", "comes"),
    [
        ("x86_64", "3.14", {"onnxruntime"}),
        ("aarch64", "3.10", {"onnxruntime", VENDORS}),
        ("aarch64", "3.12", {"onnxruntime", VENDORS}),
        ("aarch64", "3.13", {"onnxruntime"}),
        ("riscv64", "3.13", set()),
    ],
)
def test_a_runtime_comes_by_default_and_only_the_vendors_has_a_newest_python(
    machine: str, python: str, comes: set[str], built: Path
) -> None:
    (wheel,) = (built / "wheel").iterdir()
    with zipfile.ZipFile(wheel) as files:
        (name,) = (name for name in files.namelist() if name.endswith("/METADATA"))
        told = Parser().parsestr(files.read(name).decode())
    assert told["Requires-Python"] == ">=3.10"
    needed = [Requirement(line) for line in told.get_all("Requires-Dist", [])]
    here = {"platform_machine": machine, "python_version": python, "extra": ""}
    got = {each.name for each in needed if each.marker is None or each.marker.evaluate(here)}
    assert got & {"onnxruntime", VENDORS} == comes


def test_the_sdist_builds_the_same_wheel(built: Path, tmp_path: Path) -> None:
    (sdist,), (wheel,) = ((built / what).iterdir() for what in ("sdist", "wheel"))
    with tarfile.open(sdist) as files:
        files.extractall(tmp_path, filter="data")
    (project,) = tmp_path.iterdir()
    again = build("wheel", project, tmp_path / "again")
    assert zipfile.ZipFile(again).namelist() == zipfile.ZipFile(wheel).namelist()


@needs_compiler
def test_the_library_in_it_resizes_and_is_for_this_kind_of_cpu(place: Place, built: Path) -> None:
    (wheel,) = (built / "wheel").iterdir()
    assert wheel.name.endswith(f"-py3-none-linux_{platform.machine()}.whl")
    assert "workers/images/area.c" not in zipfile.ZipFile(wheel).namelist()
    script = "from workers.images.preprocess import RESIZE; print([RESIZE.reason])"
    assert place.run("-c", script, program="python").stdout == "['']\n"


def test_without_a_compiler_it_is_for_every_machine(built: Path, tmp_path: Path) -> None:
    (sdist,) = (built / "sdist").iterdir()
    with tarfile.open(sdist) as files:
        files.extractall(tmp_path, filter="data")
    (project,) = tmp_path.iterdir()
    wheel = build("wheel", project, tmp_path / "built", CC="no-such-compiler")
    assert wheel.name.endswith("-py3-none-any.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert [name for name in names if name.endswith(".so")] == []
    assert "workers/images/area.py" in names


def test_it_is_the_wheel_that_runs(place: Place, built: Path) -> None:
    done = place.run("-c", "import farm, workers; print(farm.__file__)", program="python")
    assert done.stdout.startswith(str(built / "environment" / "lib"))


def test_without_any_word_it_classifies_bundled_samples(place: Place) -> None:
    done = place.run("run", "-q")
    assert done.returncode == 0, done.stderr
    assert missing((" 200 images", "top-1 100", "bundled"), done.stderr) == []


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (("photo.jpg",), 1),
        (("photos/",), 6),
        (("host", "photos/"), 6),
        (("rk3588", "photos/", "photo.jpg"), 7),
        (("-d", "photos"), 6),
        (("-p", "rk3576", "photos/*.jpg"), 6),
    ],
)
def test_images_are_classified_with_or_without_a_config(
    words: tuple[str, ...], count: int, place: Place
) -> None:
    done = place.run("run", *words)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == count
    assert "top-1 100" in done.stderr or "photo.jpg" in words


def test_a_config_to_begin_with_is_written_once_and_runs(place: Place) -> None:
    done = place.run("init", "rk3588")
    assert (done.returncode, "npu-farm run farm.yaml" in done.stdout) == (0, True)
    config = place.folder / "farm.yaml"
    config.write_text(config.read_text() + "images: photos\n")
    written = config.read_text()
    assert yaml.safe_load(written)["platform"] == "rk3588"
    done = place.run("run", "farm.yaml")
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 6)
    done = place.run("init")
    assert (done.returncode, "farm.yaml" in done.stderr) == (2, True)
    assert config.read_text() == written
    assert place.run("init", "-o", "other.yaml").returncode == 0
    assert (place.folder / "other.yaml").is_file()


def test_a_benchmark_takes_images_without_a_config(place: Place) -> None:
    done = place.run("bench", "photos/", "-r", "1", "--rounds", "1", "-s", "1", "--json", "-")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["images"] == 6


def test_plan_and_doctor_find_what_is_bundled(place: Place, built: Path) -> None:
    done = place.run("plan", "rk3588", "--runtime", "rknn")
    assert f"{built}/environment/" in done.stdout
    assert "bundled/models/glyphs-rk3588.rknn" in done.stdout
    assert place.run("plan").returncode == 0
    assert place.run("doctor").returncode in (0, 1)
    done = place.run("doctor", "host", "--json")
    assert (done.returncode, json.loads(done.stdout)["checks"][-1]["check"]) == (0, "inference")


@pytest.mark.parametrize(
    ("command", "word", "facts"),
    [
        *((command, "rk358", ("rk3588", *NAMES)) for command in ("run", "tune", "doctor")),
        *((command, "net.onnx", ("model", "-m net.onnx")) for command in ("bench", "plan")),
    ],
)
def test_what_is_no_config_is_explained(
    command: str, word: str, facts: tuple[str, ...], place: Place
) -> None:
    done = place.run(command, word)
    assert (done.returncode, done.stdout) == (2, "")
    assert missing((word, *facts), done.stderr) == []
    assert len(done.stderr.splitlines()) <= 2


def test_what_needs_a_clone_says_how_to_get_one(place: Place) -> None:
    done = place.run("convert", "net.onnx", "-p", "rk3588", "--calibrate", "photos")
    assert done.returncode == 2
    assert missing(("git clone https://", "make -C npu-farm converter"), done.stderr) == []


def test_in_python_a_bundled_config_has_its_name(place: Place) -> None:
    script = """
from farm import Farm, __version__
with Farm.from_config("host", {"size": 1}) as farm:
    (result,) = farm.classify(["photo.jpg"])
print(result.top5[0].score > 0.5, __version__)
"""
    done = place.run("-c", script, program="python")
    assert done.stdout.split() == ["True", *place.run("--version").stdout.split()[-1:]]
