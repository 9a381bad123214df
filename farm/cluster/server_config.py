"""The config of a hub's server, in the language of NATS; pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MOST_PAYLOAD: Final = 8 << 20  # bytes of a message; more is discouraged by the server's makers
MOST_PENDING: Final = 64 << 20  # bytes for a client that does not read them; then it is cut off


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """Where a server listens, whom it lets in, where it keeps what it holds.

    With a `certfile` (its key in it, or in `keyfile`), it speaks TLS, and nothing else.
    """

    listen: str
    port: int
    token: str
    store: Path
    certfile: Path | None = None
    keyfile: Path | None = None


def config_text(settings: ServerSettings) -> str:
    """Return the config that a server is started with."""
    lines = [
        "# A hub of npu-farm, for NATS's server (nats-server -c FILE), 2.10 or later.",
        f"host: {quoted(settings.listen)}",
        f"port: {settings.port}",
        "# Who has it may do everything here.",
        f"authorization {{ token: {quoted(settings.token)} }}",
        "# Jobs of several images travel in one message.",
        f"max_payload: {MOST_PAYLOAD}",
        f"max_pending: {MOST_PENDING}",
        "# A board that is cut off is known after 15 s, not after 6 minutes.",
        'ping_interval: "5s"',
        "ping_max: 2",
        "jetstream {",
        f"  store_dir: {quoted(str(settings.store))}",
        "  # Its streams have limits of their own.",
        "  max_file_store: 1PB",
        "  max_memory_store: 16777216",
        "  # A power cut takes the last second at most; with always, nothing, and all is slower.",
        '  sync_interval: "1s"',
        "}",
        "logtime: false",
    ]
    if settings.certfile is not None:
        lines += [
            "tls {",
            f"  cert_file: {quoted(str(settings.certfile.absolute()))}",
            f"  key_file: {quoted(str((settings.keyfile or settings.certfile).absolute()))}",
            "}",
        ]
    return "\n".join([*lines, ""])


def quoted(text: str) -> str:
    """Return a string as the server reads it."""
    return json.dumps(text, ensure_ascii=False)
