"""Prometheus's own checker."""

from __future__ import annotations

import shutil
import subprocess
from typing import Final

import pytest

SECONDS: Final = 30.0


def promtool(*arguments: str, data: bytes = b"") -> str:
    """What promtool says, and that it is content; skip the test where it is not installed."""
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("no promtool here: apt install prometheus")
    ended = subprocess.run(
        [program, *arguments], input=data, capture_output=True, timeout=SECONDS, check=False
    )
    said = (ended.stdout + ended.stderr).decode()
    assert ended.returncode == 0, said
    return said
