"""What a hub's server is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from farm.cluster.server_config import ServerSettings, config_text


def settings(**changes: Any) -> ServerSettings:
    given = {"listen": "127.0.0.1", "port": 4222, "token": "secret", "store": Path("/store")}
    return ServerSettings(**{**given, **changes})


def test_it_is_told_where_to_listen_and_whom_to_let_in() -> None:
    lines = config_text(settings(listen="::", port=14222)).splitlines()
    assert {'host: "::"', "port: 14222", 'authorization { token: "secret" }'} <= set(lines)


def test_without_a_certificate_it_speaks_no_tls() -> None:
    assert "tls" not in config_text(settings())


def test_the_key_is_in_the_certificates_file_unless_it_has_its_own() -> None:
    together = config_text(settings(certfile=Path("/cert")))
    assert 'cert_file: "/cert"' in together
    assert 'key_file: "/cert"' in together
    assert 'key_file: "/key"' in config_text(settings(certfile=Path("/cert"), keyfile=Path("/key")))


@pytest.mark.parametrize("name", ['a "b"', "a\\b", "$HOME", "a\nb", "é"])
def test_names_stay_what_they_are(name: str) -> None:
    (line,) = [
        each for each in config_text(settings(store=Path(name))).split("\n") if "dir" in each
    ]
    said = line.removeprefix("  store_dir: ")
    assert said.startswith('"')
    assert said[1:-1].replace("\\n", "\n").replace('\\"', '"').replace("\\\\", "\\") == name
