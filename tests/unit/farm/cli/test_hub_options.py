"""What the flags that get into a hub mean."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest

from farm.cli.hub_options import HUB, access_of, read_token
from farm.cli.options import with_options
from farm.cluster.link import Access
from farm.errors import ConfigError

TOKEN = "0123456789abcdef"  # noqa: S105 - of no hub


def asked(*words: str) -> Access:
    """How the hub of these words is got into."""

    @click.command()
    @with_options(HUB)
    def command(address: str, **flags: Any) -> None:
        """Do nothing."""

    flags = command.make_context("command", list(words)).params
    return access_of(flags, flags.pop("address"))


def test_an_address_alone_is_enough() -> None:
    assert asked("nats://secret@hub") == Access(address="nats://secret@hub")


def test_each_flag_says_what_opens_a_hub(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    assert asked("nats://hub", "--token-file", str(file)).token == TOKEN
    assert asked("nats://hub", "--creds", "a").creds == Path("a")
    assert asked("nats://hub", "--nkey", "b").nkey == Path("b")
    assert asked("nats://hub", "--tlsca", "c").tls_ca == Path("c")


def test_two_ways_in_are_refused() -> None:
    with pytest.raises(click.UsageError, match="--creds and --nkey"):
        asked("nats://hub", "--creds", "a", "--nkey", "b")


@pytest.mark.parametrize(("content", "said"), [(b"", "0 words"), (b"a b", "2"), (b"\xff", "text")])
def test_a_file_without_a_token_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    (file := tmp_path / "token").write_bytes(content)
    with pytest.raises(ConfigError, match=said):
        read_token(file)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nothing"):
        read_token(tmp_path / "nothing")
