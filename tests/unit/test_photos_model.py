"""`make photos-model`: its config, what it asks for, and what it says where it can't work."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from farm.config.loader import load
from farm.errors import ConfigError
from farm.hardware.platforms import SOCS
from tests.helpers.programs import run
from tests.helpers.support import ROOT

SCRIPT = ROOT / "models" / "export_photos.py"


@pytest.fixture
def export_photos() -> Any:
    spec = importlib.util.spec_from_file_location(SCRIPT.stem, SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("platform", ["host", *SOCS])
def test_the_config_beside_the_model_is_for_the_machine_it_was_made_for(
    platform: str, export_photos: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_photos, "CONFIG", tmp_path / "photos.yaml")
    export_photos.write_config(platform)
    config = load(tmp_path / "photos.yaml", {})
    assert config.platform == platform
    assert (config.input.mean, config.input.std) == ((127.0,) * 3, (128.0,) * 3)
    assert config.model == tmp_path / export_photos.MODEL.name
    assert config.labels == tmp_path / export_photos.LABELS.name


def test_int8_gets_the_preprocessing_of_the_config(export_photos: Any) -> None:
    assert export_photos.conversion("host", None) is None
    job = export_photos.conversion("rk3568", "photos/")
    assert (job.mean, job.std) == ((127.0,) * 3, (128.0,) * 3)
    assert job.calibrate == "photos/"
    assert job.target() == export_photos.BUILT / "efficientnet-lite0-rk3566.rknn"


@pytest.mark.parametrize(
    ("platform", "calibrate", "fact"),
    [("rk3588", None, "CALIBRATE"), ("host", "photos/", "PLATFORM"), ("rk1", "photos/", "rk1")],
)
def test_a_soc_without_photos_and_photos_without_a_soc_are_refused(
    platform: str, calibrate: str | None, fact: str, export_photos: Any
) -> None:
    """Before the slow part, and not by a .rknn that was left out without a word."""
    with pytest.raises(ConfigError, match=fact):
        export_photos.conversion(platform, calibrate)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What `make photos-model` needs of a clone, with programs of our own in bin/."""
    for name in ("Makefile", "pyproject.toml", "models/requirements-convert.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    put(tmp_path / "bin" / "uname", "echo x86_64")
    return tmp_path


def put(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def python(version: str, script: str) -> str:
    """A Python of this version; asked for anything but what a `-c` says, it runs the script."""
    faked = f"import sys; sys.version_info = ({version}); exec(sys.argv.pop(1))"
    return f'[ "$1" != -c ] || {{ shift; exec {sys.executable} -c "{faked}" "$@"; }}; {script}'


def make(clone: Path, *words: str, **variables: str) -> Any:
    """Run make as from a shell, not as a part of the `make test` that runs this; .venv is there."""
    path = f"{clone / 'bin'}:{os.environ['PATH']}"
    env = {"PATH": path, "HOME": str(clone), **variables}
    return run("make", "photos-model", "-o", ".venv/run", *words, cwd=clone, env=env)


@pytest.mark.parametrize(
    ("given", "variables", "expected"),
    [
        ((), {}, ["host"]),
        ((), {"PLATFORM": "rk3576"}, ["rk3576"]),
        (
            ("PLATFORM=rk3588", "CALIBRATE=my photos"),
            {},
            ["rk3588", "--calibrate", "my photos"],
        ),
    ],
)
def test_make_passes_on_the_soc_only_if_it_was_named(
    given: tuple[str, ...], variables: dict[str, str], expected: list[str], clone: Path
) -> None:
    put(clone / "build" / "convert" / "bin" / "python", 'printf "%s\\n" "$@"')
    (clone / "build" / "convert" / "ready").touch()
    done = make(clone, *given, **variables)
    assert done.stdout.splitlines() == ["models/export_photos.py", *expected]


def test_what_a_failed_export_says_last_is_shown(clone: Path) -> None:
    script = "echo a warning of a library >&2; echo error: no photos >&2; exit 1"
    put(clone / "build" / "convert" / "bin" / "python", script)
    (clone / "build" / "convert" / "ready").touch()
    done = make(clone)
    assert done.returncode != 0
    assert done.stderr.splitlines()[0] == "error: no photos"


def test_a_board_is_told_to_use_a_pc(clone: Path) -> None:
    put(clone / "bin" / "uname", "echo aarch64")
    done = make(clone)
    assert done.returncode != 0
    assert "x86-64 PC" in done.stderr
    assert "build/photos" in done.stderr
    assert not (clone / "build").exists()


def test_a_missing_python_is_named_and_how_to_name_another(clone: Path) -> None:
    done = make(clone, "CONVERT_PYTHON=python3.99")
    assert done.returncode != 0
    assert "python3.99" in done.stderr
    assert "CONVERT_PYTHON=" in done.stderr


@pytest.mark.parametrize("version", ["3, 10", "3, 13"])
def test_a_python_that_the_converter_can_not_use_is_refused_before_pip(
    version: str, clone: Path
) -> None:
    put(clone / "bin" / "theirs", python(version, "touch asked"))
    done = make(clone, "CONVERT_PYTHON=theirs")
    told = done.stderr.splitlines()
    assert done.returncode != 0
    facts = ("3.11 or 3.12", version.replace(", ", "."), "theirs", "CONVERT_PYTHON=")
    assert [fact for fact in facts if fact not in told[0]] == []
    assert len(told) == 2  # the other is make's own
    assert not (clone / "asked").exists()


def test_the_first_python_that_runs_and_will_do_is_taken(clone: Path) -> None:
    """pyenv has a python3.11 in PATH that only says that none is installed."""
    put(clone / "bin" / "python3.11", "exit 127")
    put(clone / "bin" / "python3.12", python("3, 12", "touch asked; exit 1"))
    assert make(clone).returncode != 0
    assert (clone / "asked").exists()


def test_without_a_network_the_set_up_says_so_and_does_not_count_as_done(clone: Path) -> None:
    pip = clone / "build" / "convert" / "bin" / "pip"
    script = f"mkdir -p {pip.parent}; ln -s /bin/false {pip}"
    put(clone / "bin" / "python3.11", python("3, 11", script))
    done = make(clone)
    assert done.returncode != 0
    assert "network" in done.stderr
    assert not (clone / "build" / "convert" / "ready").exists()
