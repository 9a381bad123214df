"""The machine, the date and the versions that figures were measured with."""

from __future__ import annotations

import os
import platform
import re
import sys
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Final

from farm.hardware.platforms import cpu_list
from farm.system.file_access import text

PACKAGES: Final = (
    "npu-farm",
    "numpy",
    "opencv-python-headless",
    "pyzmq",
    "onnxruntime",
    "rknn-toolkit-lite2",
)


def facts(root: Path = Path("/")) -> dict[str, str]:
    """Read what a figure is worth nothing without, name by name; what is not told is left out."""
    told = {
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
        "board": text(root / "proc/device-tree/model"),
        "CPU": _cpu(root),
        "CPUs": cpu_list(tuple(os.sched_getaffinity(0))),
        "memory": _memory(root),
        "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
        "Python": f"{platform.python_implementation()} {sys.version.split()[0]}",
        **{package: installed(package) for package in PACKAGES},
    }
    return {name: fact for name, fact in told.items() if fact}


def _cpu(root: Path) -> str | None:
    """The processor's name; kernels of 64-bit ARM do not tell one."""
    found = re.search(r"^model name\s*: (.+)$", text(root / "proc/cpuinfo") or "", re.M)
    return found[1].strip() if found else None


def _memory(root: Path) -> str | None:
    found = re.search(r"^MemTotal:\s+(\d+) kB", text(root / "proc/meminfo") or "", re.M)
    return f"{int(found[1]) / 2**20:.1f} GB" if found else None


def installed(package: str) -> str | None:
    """The version of a Python package, None if it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
