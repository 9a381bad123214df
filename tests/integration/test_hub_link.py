"""The connection to a hub that is not there."""

from __future__ import annotations

import asyncio
import errno
import socket
from urllib.parse import urlparse

import pytest
from nats.aio.client import Client, Server
from nats.errors import Error as NatsError

from farm.cluster.link import Access, Told, connect, is_refusal, said
from farm.errors import ConfigError, HubError


def test_a_hub_that_is_not_there_is_an_error_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        access = Access(address=f"nats://secret@127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(HubError, match=r"refused; .*--listen") as raised:
            asyncio.run(connect(access, "test", lambda _: None))
    assert "secret" not in str(raised.value)


def test_a_name_of_several_addresses_is_refused_in_the_same_words() -> None:
    several = OSError("Multiple exceptions: [Errno 101] no ('::1', 1), [Errno 111] no ('h', 1)")
    assert said(several) == said(ConnectionRefusedError(errno.ECONNREFUSED, "no"))


@pytest.mark.parametrize(
    "address", ["hub", "http://hub", "nats://", "nats://a:b:c", "nats://h:99999"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ConfigError):
        Access(address=address).options()


@pytest.mark.parametrize(
    "address",
    [
        *("secret", "secret@hub:4222", "http://secret@hub", "nats:secret@hub", "nats://a:secret"),
        *("nats://a:secret/b@hub", "nats://a@[secret", "nats://\N{CARE OF}secret@hub"),
    ],
)
def test_nobody_sees_the_token_of_what_is_no_address(address: str) -> None:
    with pytest.raises(ConfigError) as raised:
        Access(address=address).options()
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("secret", ["secret", "a:secret", "a/secret", "a//secret", "a@secret"])
def test_an_address_is_told_without_secrets(secret: str) -> None:
    assert str(Access(address=f"tls://{secret}@hub:4222")) == "tls://hub:4222"
    assert str(Access(address=f"{secret}@hub:4222")) == "hub:4222"


def test_all_servers_of_a_cluster_are_tried() -> None:
    servers = [Server(uri=urlparse(f"nats://{name}")) for name in "abc"]
    told = Told(Client(), Access(address="nats://a"), lambda _: None)
    tried = {told.next_server(servers, {})[0].uri.netloc for _ in range(3)}
    assert tried == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("words", "refused"),
    [
        ("nats: 'Authorization Violation'", True),
        ("nats: 'User Authentication Expired'", True),
        ("nats: 'Authentication Timeout'", False),  # of a busy hub
        ("nats: 'Maximum Connections Exceeded'", False),
    ],
)
def test_only_what_does_not_let_us_in_is_a_refusal(words: str, refused: bool) -> None:
    assert is_refusal(NatsError(words)) is refused
