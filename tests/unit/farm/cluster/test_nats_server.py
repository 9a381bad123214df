"""The server's program."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from farm.cluster.nats_server import find_server
from farm.errors import ConfigError


def test_a_server_is_found_beside_python_or_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("bin", "path"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    with pytest.raises(ConfigError, match=r"npu-farm\[cluster\]"):
        find_server()
    for folder in ("path", "bin"):  # beside Python comes first
        (program := tmp_path / folder / "nats-server").touch(0o755)
        assert find_server() == str(program)
