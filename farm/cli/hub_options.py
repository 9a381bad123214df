"""The flags with which commands get into a hub."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from farm.errors import ConfigError

if TYPE_CHECKING:  # `--help` is quick without
    from farm.cluster.link import Access

ACCESS: Final = ("token_file", "creds", "nkey", "tls_ca")
HUB: Final = (
    click.argument("address", metavar="HUB"),
    click.option("--token-file", type=click.Path(path_type=Path), metavar="FILE",
                 help="The hub's token is in this file; one in HUB is seen by all who may list "
                 "this machine's processes."),
    click.option("--creds", type=click.Path(path_type=Path), metavar="FILE",
                 help="Get in with this .creds file of NATS, where the hub has accounts."),
    click.option("--nkey", type=click.Path(path_type=Path), metavar="FILE",
                 help="Get in with the key whose seed is in this file."),
    click.option("--tlsca", "tls_ca", type=click.Path(path_type=Path), metavar="FILE",
                 help="Speak TLS, and trust a hub's certificate that one of these signed (PEM)."),
)  # fmt: skip


def access_of(flags: Mapping[str, Any], address: str) -> Access:
    """Return where a hub is, and what opens it; `flags` has those of ACCESS.

    Raises UsageError for flags that do not go together, ConfigError for a file that can't be read
    or has nothing in it.
    """
    from farm.cluster.link import Access

    given = [f"--{each.replace('_', '-')}" for each in ACCESS[:3] if flags[each] is not None]
    if len(given) > 1:
        raise click.UsageError(f"{' and '.join(given)}: name one, a hub asks for one of them")
    token = read_token(flags["token_file"]) if flags["token_file"] is not None else None
    keys = {each: flags[each] for each in ("creds", "nkey", "tls_ca")}
    return Access(address=address, token=token, **keys)


def read_token(file: Path) -> str:
    """Return the token in a file; raises ConfigError if there is not one in it."""
    try:
        words = file.read_text(encoding="utf-8").split()
    except OSError as error:
        raise ConfigError(f"--token-file {file}: {error.strerror}") from error
    except UnicodeError as error:
        raise ConfigError(f"--token-file {file}: not text: {error}") from error
    if len(words) != 1:
        raise ConfigError(f"--token-file {file}: {len(words)} words in it; write the token alone")
    return words[0]
