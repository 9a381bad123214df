"""Where a hub is reached."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from farm.cli.commands import cli
from farm.cluster.hub import Request, access_of, reachable
from farm.cluster.streams import Limits

MB = 1 << 20


def request(**changes: Any) -> Request:
    given = {"listen": "127.0.0.1", "port": 4222, "store": Path("store"), "ack_seconds": 20.0}
    return Request(**{**given, "store_bytes": 4096 * MB, **changes})


def test_an_address_is_its_own_name() -> None:
    assert reachable(request()) == "127.0.0.1"
    assert reachable(request(listen="192.168.1.7")) == "192.168.1.7"


def test_for_all_addresses_it_is_one_of_this_machines_that_others_reach() -> None:
    for wildcard in ("0.0.0.0", "::"):  # noqa: S104 - nobody listens
        said = reachable(request(listen=wildcard))
        assert said not in (wildcard, "127.0.0.1", "::1")


def test_a_certificate_is_for_a_name() -> None:
    named = request(listen="0.0.0.0", certfile=Path("cert"))  # noqa: S104 - nobody listens
    assert reachable(named) == socket.gethostname()


def test_its_own_way_to_the_server_is_loopback() -> None:
    assert access_of(request(listen="::"), "t").address == "nats://[::1]:4222"
    secure = access_of(request(listen="0.0.0.0", certfile=Path("c")), "t")  # noqa: S104
    assert secure.address == "tls://127.0.0.1:4222"


def test_a_store_is_shared_out() -> None:
    limits = request().limits()
    shared = limits.jobs_bytes + limits.results_bytes + limits.objects_bytes
    assert 4000 * MB < shared <= 4096 * MB
    assert limits.ack_seconds == Limits().ack_seconds


def test_the_default_of_the_flag_is_that_of_the_streams() -> None:
    said = CliRunner().invoke(cli, ["hub", "--help"]).output
    assert f"[default: {Limits().ack_seconds:.0f};" in said.replace("\n", " ")
