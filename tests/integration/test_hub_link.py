"""The connection to a hub that is not there."""

from __future__ import annotations

import asyncio
import socket

import pytest

from farm.cluster.link import Access, connect
from farm.errors import ConfigError, HubError


def test_a_hub_that_is_not_there_is_an_error_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        access = Access(address=f"nats://secret@127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(HubError, match="refused") as raised:
            asyncio.run(connect(access, "test", lambda _: None))
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    "address", ["hub", "http://hub", "nats://", "nats://a:b:c", "nats://h:99999"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ConfigError):
        Access(address=address).options()
