"""A certificate that a server can't use is told, with the flag that names it."""

from __future__ import annotations

from pathlib import Path

import pytest

from farm.errors import ConfigError
from farm.system.certificates import server_context
from tests.helpers.hub_keys import certificate


def test_a_key_is_in_the_certificates_file_or_in_its_own(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path, "hub")
    server_context(cert, key)
    with pytest.raises(ConfigError, match=rf"^--certfile {cert}: no certificate with its key"):
        server_context(cert, None)
    cert.write_bytes(cert.read_bytes() + key.read_bytes())
    server_context(cert, None)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    cert, _ = certificate(tmp_path, "hub")
    none = tmp_path / "none"
    with pytest.raises(ConfigError, match=f"^--certfile {none}: No such file"):
        server_context(none, cert)
    with pytest.raises(ConfigError, match=f"^--keyfile {none}: No such file"):
        server_context(cert, none)


def test_a_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    (cert, _), (_, other) = certificate(tmp_path, "hub"), certificate(tmp_path, "other")
    with pytest.raises(ConfigError, match=f"--certfile {cert} --keyfile {other}: "):
        server_context(cert, other)
