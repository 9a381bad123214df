"""The machine, date, versions and command that figures were measured with."""

from __future__ import annotations

import json
import os
import platform
import re
import shlex
import subprocess
import sys
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Final

import workers
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


RESIZE: Final = "resize"  # the name of a fact that takes longer to find than others
# Asked in a process of its own: this one may be measured, and loads nothing for pictures. There, a
# numpy.py in the current folder is not taken for numpy.
ASK: Final = """
import json, sys
sys.path[:] = [*filter(None, sys.path), sys.argv[1]]
from workers.images.area import choose
print(json.dumps((choose().reason, choose().fix)))
"""


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


def resize() -> tuple[str, str]:
    """Return why OpenCV resizes pictures, and a command that may change that, for workers.shell.

    Both are empty if npu-farm's own library does it, which is faster.
    """
    words = [sys.executable, "-c", ASK, str(Path(workers.__file__).parents[1])]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = done.stderr.strip().rpartition("\n")[2] or f"its test ends with {done.returncode}"
        return last, "pip install --force-reinstall numpy opencv-python-headless"
    reason, fix = json.loads(done.stdout)
    return reason, fix


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
