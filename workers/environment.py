"""The variables from which libraries take settings, as a process of the farm needs them."""

from __future__ import annotations

import os
from typing import Final

OPENCV_PREFIX: Final = "OPENCV_"
WORKER: Final = "NPU_FARM_WORKER"  # its name, in a worker and in what it starts
# For glibc, mallopt(3): one heap for all threads of a process. With one each, every decoder keeps
# room for the largest photo that it has decoded.
ONE_HEAP: Final = {"MALLOC_ARENA_MAX": "1"}


def limit_library_threads() -> None:
    """Keep libraries that are imported from now on from starting threads of their own.

    One process per runtime is the parallelism; thread pools inside them would compete with it.
    """
    os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")


def without_opencv_variables() -> dict[str, str]:
    """Return this process's environment without OpenCV's variables.

    A value that OpenCV can't read, such as OPENCV_IO_MAX_IMAGE_WIDTH=wide, aborts a process that
    imports cv2; one that it can read would refuse images for a reason that is not in the config.
    """
    return {name: v for name, v in os.environ.items() if not name.startswith(OPENCV_PREFIX)}


def forget_opencv_variables() -> None:
    """Remove OpenCV's variables from this process's environment; do so before cv2 is imported."""
    for name in os.environ.keys() - without_opencv_variables().keys():
        del os.environ[name]
