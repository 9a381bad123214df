"""What the command line of `npu-farm serve` means."""

from __future__ import annotations

import pytest

from farm.cli import serve
from farm.errors import ConfigError
from tests.helpers.support import glyphs, simulated


def test_a_model_has_the_name_of_its_file() -> None:
    assert serve.name_of(glyphs()) == "glyphs"


def test_without_a_model_the_name_is_the_tasks() -> None:
    assert serve.name_of(simulated()) == "classify"


def test_packages_that_lack_are_named_with_the_command_that_installs_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(serve, "NEEDED", ("starlette", "no_such_package"))
    with pytest.raises(
        ConfigError, match=r"needs no_such_package, not installed[^$]*npu-farm\[serve\]"
    ):
        serve.serving()
