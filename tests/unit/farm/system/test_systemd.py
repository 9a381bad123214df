"""What systemd is told."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from farm.system.systemd import READY, notify


@pytest.mark.parametrize("abstract", [False, True])
def test_a_state_is_sent_to_the_socket_that_is_named(
    abstract: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"{tmp_path}/notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(f"\0{address}" if abstract else address)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{address}" if abstract else address)
        notify(READY)
        assert systemd.recv(100, socket.MSG_DONTWAIT) == b"READY=1"


def test_without_systemd_nobody_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify(READY)
    monkeypatch.setenv("NOTIFY_SOCKET", f"{tmp_path}/gone")
    notify(READY)
