"""The library that resizes pictures, compiled anew, with flags that make it what a test needs."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.helpers.support import ROOT

SOURCE: Final = ROOT / "workers" / "images" / "area.c"
COMPILER: Final = shutil.which("cc")
needs_compiler: Final = pytest.mark.skipif(COMPILER is None, reason="no C compiler here")


def compiled(library: Path, *flags: str) -> Path:
    """Compile the library as setup.py does, with more flags."""
    words = [COMPILER or "cc", "-O3", "-ffp-contract=off", "-shared", "-fPIC", *flags]
    subprocess.run([*words, "-o", str(library), str(SOURCE), "-lm"], check=True)
    return library
