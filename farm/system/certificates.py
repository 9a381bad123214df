"""The certificate with which a server of ours speaks TLS."""

from __future__ import annotations

import ssl
from pathlib import Path

from farm.errors import ConfigError

__all__ = ["server_context"]


def server_context(certfile: Path, keyfile: Path | None) -> ssl.SSLContext:
    """Return what speaks TLS with a certificate, whose key is in its file unless it has its own.

    Raises ConfigError, which names the flag, for a file that can't be read or is none of these.
    """
    files = {"--certfile": certfile, "--keyfile": keyfile}
    given = {flag: file for flag, file in files.items() if file is not None}
    for flag, file in given.items():
        try:
            file.open("rb").close()
        except OSError as error:
            raise ConfigError(f"{flag} {file}: {error.strerror}") from error
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certfile, keyfile, lambda: "")
    except OSError as error:  # an SSLError is one
        named = " ".join(f"{flag} {file}" for flag, file in given.items())
        raise ConfigError(f"{named}: no certificate with its key: {error.strerror}") from error
    return context
