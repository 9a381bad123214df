"""Where a service listens."""

from __future__ import annotations

import socket

import pytest

from farm.errors import OutputError
from farm.serving import listen
from farm.serving.listen import bind, url_of


def test_port_0_is_a_free_one_which_the_url_names() -> None:
    with bind("127.0.0.1", 0) as bound:
        assert url_of(bound, scheme="http") == f"http://127.0.0.1:{bound.getsockname()[1]}"


def test_an_address_of_ipv6_stands_in_brackets() -> None:
    with bind("::1", 0) as bound:
        assert url_of(bound, scheme="https") == f"https://[::1]:{bound.getsockname()[1]}"


def test_a_port_that_is_taken_is_refused_by_its_number() -> None:
    with bind("127.0.0.1", 0) as first:
        first.listen()
        port = first.getsockname()[1]
        with pytest.raises(OutputError, match=f"127.0.0.1:{port}: another program"):
            bind("127.0.0.1", port)


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(OutputError, match=r"192\.0\.2\.1:0: this machine has no such address"):
        bind("192.0.2.1", 0)


def test_a_name_of_no_host_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(OutputError, match="--host nowhere: no such host"):
        bind("nowhere", 0)


def test_who_stops_reading_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A viewer of events that is stuck would else keep its place for ever."""
    monkeypatch.setattr(listen, "STALLED_MS", 300)
    with bind("127.0.0.1", 0) as bound, socket.socket() as client:
        bound.listen()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        client.connect(bound.getsockname())
        connection, _ = bound.accept()
        with connection, pytest.raises(TimeoutError):
            connection.sendall(b"x" * 10_000_000)
