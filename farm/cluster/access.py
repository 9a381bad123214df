"""Where a hub is, and what opens it."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import nkeys

from farm.errors import ConfigError

PORT: Final = 4222
JWT: Final = re.compile(rb"^-+BEGIN NATS USER JWT-+\r?\n\S", re.MULTILINE)
SEED: Final = re.compile(rb"^SU[A-Z2-7]+", re.MULTILINE)  # that of a user's key
SECRETS: Final = re.compile(r"^([a-z]+://)?.*@", re.DOTALL)
NOTHING: Final = re.compile(b"")


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Where a hub is (nats://TOKEN@HOST:PORT, or tls://), and what opens it.

    `token` stands in for the one of the address, `creds` is a .creds file of NATS, `nkey` a file
    with the seed of a key. `tls_ca` has the certificates that are trusted, not the system's then.
    """

    address: str
    token: str | None = None
    creds: Path | None = None
    nkey: Path | None = None
    tls_ca: Path | None = None

    def __str__(self) -> str:
        """Return the address without secrets, wherever it has them."""
        return SECRETS.sub(r"\1", self.address)

    def options(self) -> dict[str, Any]:
        """Return what Client.connect takes.

        Raises ConfigError for an address that is none, and for files that can't open anything.
        """
        # What is none may be a token alone, which nobody is to see.
        wrong = ConfigError(
            f"HUB is no address: write it as nats://TOKEN@HOST:{PORT} or tls://..., as "
            "`npu-farm hub` tells it"
        )
        try:
            parts = urlsplit(self.address)
            port = parts.port or PORT
        except ValueError:
            raise wrong from None
        if parts.scheme not in ("nats", "tls") or not parts.hostname:
            raise wrong
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        found: dict[str, Any] = {"servers": f"{parts.scheme}://{host}:{port}"}
        if parts.password is not None:
            found |= {"user": unquote(parts.username or ""), "password": unquote(parts.password)}
        elif token := self.token or (parts.username and unquote(parts.username)):
            found["token"] = token
        if self.creds is not None:
            read_key("--creds", self.creds, besides=JWT)
            found["user_credentials"] = str(self.creds)
        if self.nkey is not None:
            found["nkeys_seed_str"] = read_key("--nkey", self.nkey)
        if self.tls_ca is not None or parts.scheme == "tls":
            found["tls"] = self._trusting()
        return found

    def _trusting(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self.tls_ca)
        except (OSError, ssl.SSLError) as error:
            reason = error.strerror or error
            raise ConfigError(f"--tlsca {self.tls_ca}: no certificates: {reason}") from error


def read_key(flag: str, file: Path, *, besides: re.Pattern[bytes] = NOTHING) -> str:
    """Return the seed of a user's key in a file.

    Raises ConfigError if it has none, or nothing `besides`: the client would say less, and reads a
    .creds file without a JWT for ever.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ConfigError(f"{flag} {file}: {error.strerror}") from error
    seed = SEED.search(content)
    if seed is None or not besides.search(content):
        raise ConfigError(f"{flag} {file}: no key of a user in it, or not all that belongs to it")
    try:
        nkeys.from_seed(bytearray(seed[0]))
    except (nkeys.NkeysError, ValueError) as error:
        raise ConfigError(f"{flag} {file}: the key in it is damaged") from error
    return seed[0].decode()
