"""What is set in the environment neither aborts a process of the farm nor changes its images."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.helpers.support import ROOT
from workers.environment import forget_opencv_variables, without_opencv_variables

RUBBISH = {
    "OPENCV_IO_MAX_IMAGE_PIXELS": "abc",
    "OPENCV_IO_MAX_IMAGE_WIDTH": "true",
    "OPENCV_IO_MAX_IMAGE_HEIGHT": "-",
    "OPENCV_TRACE": "7",
    "OPENCV_FOR_THREADS_NUM": "many",
    "OPENCV_DUMP_CONFIG": "maybe",
    "OMP_NUM_THREADS": "abc",
    "OPENBLAS_NUM_THREADS": "abc",
}
IMPORT = "from workers.environment import *; forget_opencv_variables(); import cv2, numpy"


@pytest.mark.parametrize("name", RUBBISH)
def test_a_value_that_a_library_can_not_read_aborts_nobody(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT],
        cwd=ROOT,
        env={**os.environ, name: RUBBISH[name]},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_only_the_variables_of_opencv_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENCV_IO_MAX_IMAGE_WIDTH", "9")
    monkeypatch.setenv("MY_OPENCV_HOME", "kept")
    kept = without_opencv_variables()
    assert kept == {name: v for name, v in os.environ.items() if not name.startswith("OPENCV")}
    forget_opencv_variables()
    assert dict(os.environ) == kept
    assert kept["MY_OPENCV_HOME"] == "kept"


def test_a_coordinator_in_a_program_of_yours_does_not_load_opencv() -> None:
    """So it need not touch that program's environment."""
    code = "import sys; from farm import Farm; sys.exit('cv2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)
    assert done.returncode == 0
