"""Where the tests of this folder run: on a board, on an emulated one, or against a stand-in.

On a real board they use its NPU. On the emulated one ($RKBOARD names its SoC), the vendor's real
package runs over a simulated library. On another machine with ../shared/simnpu and a C compiler,
a stand-in for the package does. Everywhere else they are skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from farm.hardware.platforms import SOCS, Platform, detect
from farm.sources.renders import write_renders
from tests.helpers.support import ROOT, once

HERE = Path(__file__).parent
STAND_IN = ROOT.parent / "shared" / "simnpu"
EMULATED = os.environ.get("RKBOARD")
SOC = EMULATED or detect().soc
TOOLS = all(map(shutil.which, ("cc", "make")))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = [item for item in items if HERE in item.path.parents]
    nowhere = pytest.mark.skip(reason="no board here, and no ../shared/simnpu or no C compiler")
    real = pytest.mark.skip(reason="a real NPU makes no faults on request")
    for item in here:
        item.add_marker(pytest.mark.board)
        if SOC is None and not (STAND_IN.is_dir() and TOOLS):
            item.add_marker(nowhere)
        if SOC is not None and EMULATED is None and item.get_closest_marker("faults"):
            item.add_marker(real)


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    """The folder of the built stand-in; None on a board, emulated or not."""
    if SOC is not None:
        return None

    def make(folder: Path) -> None:
        shutil.copytree(STAND_IN, folder, dirs_exist_ok=True)
        subprocess.run(["make", "-s"], cwd=folder, check=True)  # noqa: S607 - the user's own make

    return once(tmp_path_factory, "stand-in", make)


@pytest.fixture
def board(
    stand_in: Path | None, monkeypatch: pytest.MonkeyPatch, run_dirs: Path
) -> Iterator[Platform]:
    """The SoC's platform; farms of the test find an NPU of that kind."""
    platform = SOCS[SOC or "rk3588"]
    if stand_in is not None:
        monkeypatch.setenv("PYTHONPATH", str(stand_in))
        monkeypatch.setenv("SIMNPU_SOC", platform.name)
        monkeypatch.setenv("SIMNPU_CORES", str(platform.npu_cores))
    # An NPU of its own for each test: nobody else's jobs or counters.
    monkeypatch.setenv("SIMNPU_SHM", f"/{run_dirs.name}")
    yield platform
    Path("/dev/shm", run_dirs.name).unlink(missing_ok=True)


@pytest.fixture(scope="session")
def fifty(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """50 renders; $FIFTY is a folder that has them already."""
    if "FIFTY" in os.environ:
        return sorted(Path(os.environ["FIFTY"]).iterdir())

    def make(folder: Path) -> None:
        write_renders(folder, count=50, seed=7)

    return sorted(once(tmp_path_factory, "fifty", make).iterdir())
