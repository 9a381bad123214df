"""What opens hubs: certificates, keys and .creds files of NATS, made for a test."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any, NamedTuple

import nkeys

UNLIMITED = {"subs": -1, "data": -1, "payload": -1}
OF_ACCOUNTS = (
    *("imports", "exports", "conn", "leaf"),
    *("mem_storage", "disk_storage", "streams", "consumer"),
)
NO_STORAGE = dict.fromkeys(("mem_storage", "disk_storage", "streams", "consumer"), 0)


class Key(NamedTuple):
    """A key of NATS: its seed, its public half."""

    seed: str
    public: str


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate for localhost and 127.0.0.1, signed by itself, and its key."""
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}"),
            *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
            *("-keyout", key, "-out", cert),
        ],
        check=True,
        capture_output=True,
    )
    return cert, key


def make_key(prefix: int = nkeys.PREFIX_BYTE_USER) -> Key:
    """A new key, of a user unless `prefix` says otherwise."""
    seed = nkeys.encode_seed(os.urandom(32), prefix)
    return Key(seed.decode(), nkeys.from_seed(bytearray(seed)).public_key.decode())


def signed(by: Key, subject: Key, claims: dict[str, Any]) -> str:
    """A JWT of NATS."""
    body = {
        "iss": by.public,
        "sub": subject.public,
        "iat": int(time.time()),
        "name": "tests",
        "nats": {**claims, "version": 2},
    }
    head = {"typ": "JWT", "alg": "ed25519-nkey"}
    text = ".".join(packed(json.dumps(part).encode()) for part in (head, body))
    return f"{text}.{packed(nkeys.from_seed(bytearray(by.seed.encode())).sign(text.encode()))}"


def packed(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def operator(creds: Path) -> dict[str, Any]:
    """A server's settings with an operator and one account; `creds` lets a user of it in."""
    owner, account = make_key(nkeys.PREFIX_BYTE_OPERATOR), make_key(nkeys.PREFIX_BYTE_ACCOUNT)
    user, system = make_key(), make_key(nkeys.PREFIX_BYTE_ACCOUNT)
    limits = {**UNLIMITED, **dict.fromkeys(OF_ACCOUNTS, -1), "wildcards": True}
    of_account = signed(owner, account, {"type": "account", "limits": limits})
    of_system = signed(owner, system, {"type": "account", "limits": {**limits, **NO_STORAGE}})
    of_user = signed(account, user, {"type": "user", "pub": {}, "sub": {}, **UNLIMITED})
    creds.write_text(
        f"-----BEGIN NATS USER JWT-----\n{of_user}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{user.seed}\n------END USER NKEY SEED------\n"
    )
    return {
        "operator": signed(owner, owner, {"type": "operator"}),
        "resolver": "MEMORY",
        "resolver_preload": {account.public: of_account, system.public: of_system},
        "system_account": system.public,
    }
