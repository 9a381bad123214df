"""The machine, date, versions and command that figures were measured with."""

from __future__ import annotations

import os
import platform
import re
import shlex
import sys
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Final

from farm.hardware.platforms import cpu_list
from farm.system.file_access import text
from farm.system.memory import total_mb

PACKAGES: Final = (
    "npu-farm",
    "numpy",
    "opencv-python-headless",
    "pyzmq",
    "onnxruntime",
    "rknn-toolkit-lite2",
)


def facts(root: Path = Path("/")) -> dict[str, str]:
    """Return what a reader of figures must know, by name; what is unknown is left out.

    The names of board and processor are read below `root`. Kernels of 64-bit ARM name none.
    """
    cpu = re.search(r"^model name\s*: (.+)$", text(root / "proc/cpuinfo") or "", re.M)
    found = {
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
        "board": text(root / "proc/device-tree/model"),
        "CPU": cpu[1].strip() if cpu else None,
        "CPUs": cpu_list(tuple(os.sched_getaffinity(0))),
        "memory": f"{total_mb() / 1024:.1f} GB",
        "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
        "Python": f"{platform.python_implementation()} {sys.version.split()[0]}",
        **{package: installed(package) for package in PACKAGES},
    }
    return {name: fact for name, fact in found.items() if fact}


def command_line() -> str:
    """Return the command of this process, as a shell reads it."""
    program, *arguments = sys.argv
    name = "npu-farm" if program.endswith(".py") else Path(program).name
    return shlex.join([name, *arguments])


def installed(package: str) -> str | None:
    """Return the version of a Python package, None if it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
