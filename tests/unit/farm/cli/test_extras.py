"""What is told where packages lack."""

from __future__ import annotations

import pytest

from farm.cli import extras
from farm.errors import ConfigError


def test_packages_that_lack_are_named_with_the_command_that_installs_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(extras.NEEDED, "cluster", ("nats", "no_such_package"))
    with pytest.raises(ConfigError, match=r"needs no_such_package[^$]*npu-farm\[cluster\]"):
        extras.check_packages("join", extras.CLUSTER)


def test_nothing_lacks_where_the_extras_are_installed() -> None:
    for extra in extras.NEEDED:
        extras.check_packages("command", extra)
