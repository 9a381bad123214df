"""Who may use a service: tokens, and which web pages; pure."""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from farm.errors import ConfigError
from farm.serving.service import RequestError

SHORTEST_TOKEN: Final = 16  # characters: nobody guesses so many
OPEN_PATHS: Final = frozenset({"/v2/health/live", "/v2/health/ready"})  # probes have no token
# Browsers heed these. What a page may load, it says itself.
HEADERS: Final = (
    ("server", "npu-farm"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("content-security-policy", "frame-ancestors 'none'"),
    ("cross-origin-resource-policy", "same-origin"),
    ("referrer-policy", "no-referrer"),
)
# A browser asks its user, and sends the token as a password; programs send it as it is. Chromium
# heeds no line that names a second way.
CHALLENGE: Final = {"WWW-Authenticate": 'Basic realm="npu-farm, token as password"'}
ANY: Final = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who may use a service.

    With `tokens`, whoever has one of them. Without, whoever reaches it: if it is not `public`, a
    request must name it by an address, by localhost, or by one of `names`, for a web page can lead
    any other name to this machine. Pages of other sites may use it if `origins` has theirs.
    """

    tokens: tuple[bytes, ...] = ()
    public: bool = False
    names: frozenset[str] = frozenset()
    origins: tuple[str, ...] = ()

    def check(self, path: str, headers: Mapping[bytes, bytes]) -> None:
        """Raise RequestError unless a request to `path` (without the root path) may pass."""
        host = headers.get(b"host", b"").decode("latin-1").lower()
        if not (self.tokens or self.public or self._is_ours(host)):
            message = f"{host[:100]!r} is no name of this service; --server-name adds one"
            raise RequestError(421, "other_host", message)
        origin = headers.get(b"origin", b"").decode("latin-1").lower()
        if origin and not self._may_use(origin, host):
            message = f"a page of {origin[:100]} may not use this; --cors-origin allows it"
            raise RequestError(403, "other_origin", message)
        if self.tokens and path not in OPEN_PATHS:
            self._check_token(headers.get(b"authorization", b""))

    def _is_ours(self, host: str) -> bool:
        name = name_of(host)
        local = not name or name == "localhost" or name.endswith(".localhost")
        return local or name in self.names or is_address(name)

    def _may_use(self, origin: str, host: str) -> bool:
        there = origin.partition("://")[2]
        ours = there == host or name_of(there) in self.names
        return ours or ANY in self.origins or origin in self.origins

    def _check_token(self, said: bytes) -> None:
        kind, _, value = said.partition(b" ")
        if kind.lower() == b"basic":
            try:
                value = base64.b64decode(value, validate=True).partition(b":")[2]
            except binascii.Error:
                value = b""
        value = value.strip()
        if not any(hmac.compare_digest(value, token) for token in self.tokens):  # in constant time
            message = "this service needs a token: send the header Authorization: Bearer TOKEN"
            raise RequestError(401, "no_token", message, CHALLENGE)


@lru_cache(64)
def is_address(name: str) -> bool:
    """Return whether a host is named by an address of IPv4 or IPv6."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def name_of(host: str) -> str:
    """Return a host without its port, and without the brackets of IPv6."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def read_tokens(file: Path) -> tuple[bytes, ...]:
    """Return the tokens in a file, one a line; raises ConfigError if it has none that are safe."""
    try:
        tokens = tuple(file.read_bytes().split())
    except OSError as error:
        raise ConfigError(f"--token-file {file}: {error.strerror}") from error
    if not tokens:
        raise ConfigError(f"--token-file {file}: no token in it; write one a line")
    if short := [len(token) for token in tokens if len(token) < SHORTEST_TOKEN]:
        raise ConfigError(
            f"--token-file {file}: a token of {short[0]} characters can be guessed; write "
            f"{SHORTEST_TOKEN} or more; this makes one:\n  openssl rand -hex 16"
        )
    return tokens


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
