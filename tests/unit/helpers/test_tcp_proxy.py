"""The proxy, between a server that repeats what it hears and a client."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from collections.abc import Iterator

import pytest

from tests.helpers.tcp_proxy import TcpProxy, tcp_proxy

A_WHILE = 0.2


class Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while data := self.request.recv(65536):
            self.request.sendall(data)


@pytest.fixture
def proxy() -> Iterator[TcpProxy]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        with tcp_proxy(server.server_address[1]) as proxy:
            yield proxy
        server.shutdown()
        thread.join()


@pytest.fixture
def client(proxy: TcpProxy) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as client:
        yield client


def test_it_passes_on_and_counts(proxy: TcpProxy, client: socket.socket) -> None:
    client.sendall(b"hello")
    assert client.recv(9) == b"hello"
    assert (proxy.up, proxy.down) == (5, 5)


def test_what_is_cut_off_waits_and_no_side_hears_of_it(
    proxy: TcpProxy, client: socket.socket
) -> None:
    proxy.cut()
    client.sendall(b"hello")
    client.settimeout(A_WHILE)
    with pytest.raises(TimeoutError):
        client.recv(9)
    proxy.heal()
    client.settimeout(5)
    assert client.recv(9) == b"hello"


def test_who_comes_while_it_is_cut_waits(proxy: TcpProxy) -> None:
    proxy.cut()
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as client:
        client.sendall(b"hello")
        proxy.heal()
        assert client.recv(9) == b"hello"


def test_it_breaks_connections_and_lets_new_ones_through(
    proxy: TcpProxy, client: socket.socket
) -> None:
    client.sendall(b"hello")
    client.recv(9)
    proxy.drop()
    assert client.recv(9) == b""
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as other:
        other.sendall(b"again")
        assert other.recv(9) == b"again"


def test_it_delays(proxy: TcpProxy, client: socket.socket) -> None:
    proxy.delay = A_WHILE
    begun = time.monotonic()
    client.sendall(b"hello")
    assert client.recv(9) == b"hello"
    assert time.monotonic() - begun >= 2 * A_WHILE


def test_an_end_is_passed_on(client: socket.socket) -> None:
    client.sendall(b"hello")
    client.recv(9)
    client.shutdown(socket.SHUT_WR)
    assert client.recv(9) == b""
