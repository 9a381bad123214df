"""The server's program."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from farm.cluster.nats_server import NatsServer, find_server
from farm.errors import ConfigError
from tests.helpers.support import wait_for


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


def run_server(program: Path, says: str) -> NatsServer:
    """A program that says what a server may say, at its end or when it can't go on."""
    program.write_text(f"#!/bin/sh\n{says}\n")
    program.chmod(0o755)
    with NatsServer(str(program), Path("config"), os.open(os.devnull, os.O_RDONLY)) as server:
        assert wait_for(lambda: server.over)
    return server


def test_its_last_words_say_why_it_has_ended(tmp_path: Path) -> None:
    server = run_server(
        tmp_path / "server",
        "echo '[7] [INF] Server is ready' >&2\n"
        "echo '[7] 2026/01/02 03:04:05.678901 [FTL] bind: address already in use' >&2\n"
        "echo >&2; exit 1",
    )
    assert server.ready
    assert "bind: address already in use; choose another --port" in str(server.failure())


def test_a_server_that_stores_nothing_any_more_is_over(tmp_path: Path) -> None:
    server = run_server(
        tmp_path / "server",
        "echo '[7] [ERR] JetStream stream critical write error: no space left on device' >&2\n"
        "echo '[7] [ERR] something else' >&2\n"
        "exec sleep 1000",
    )
    assert "no space left on device" in str(server.failure())
