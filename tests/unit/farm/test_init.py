"""What `from farm import ...` gives, and what it costs."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import pytest

import farm


@pytest.mark.parametrize("name", farm.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(farm, name)


def test_the_version_is_that_of_the_package() -> None:
    assert farm.__version__ == version("npu-farm")


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="Fram"):
        _ = farm.Fram


def test_importing_the_package_alone_imports_no_room() -> None:
    script = "import sys, farm; print([name for name in sys.modules if name.startswith('farm.')])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
