"""What the command line of `npu-farm serve` means."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from farm.cli import serve
from farm.cli.commands import cli
from farm.serving.life import Request
from farm.serving.limits import Limits
from farm.serving.security import Access
from tests.helpers.support import glyphs, simulated

TOKEN = b"0123456789abcdef"


def asked(*words: str) -> Request:
    """What `npu-farm serve` is asked for by these words."""
    found: dict[str, Any] = serve.serve.make_context("serve", list(words)).params
    return serve.request_of({each: found[each] for each in serve.OURS}, "net")


def test_a_model_has_the_name_of_its_file() -> None:
    assert serve.name_of(glyphs()) == "glyphs"


def test_without_a_model_the_name_is_the_tasks() -> None:
    assert serve.name_of(simulated()) == "classify"


def test_by_default_it_serves_this_machine_within_the_limits() -> None:
    request = Request(host="127.0.0.1", port=8000, name="net", limits=Limits(), access=Access())
    assert asked() == request


def test_a_name_is_one_that_paths_and_json_can_have() -> None:
    assert asked("--name", "my net").name == "my net"
    assert asked("--name", os.fsdecode(b"caf\xe9")).name == "caf\ufffd"
    with pytest.raises(click.UsageError, match="leave out the /"):
        asked("--name", "my/net")


def test_each_limit_has_a_flag() -> None:
    words = "--queue 9 --max-images 7 --max-body-mb 2 --max-held-mb 3 --timeout 4 --connections 5"
    limits = Limits(
        queue=9, images=7, body_bytes=2 << 20, held_bytes=3 << 20, seconds=4, connections=5,
        sending_seconds=6,
    )  # fmt: skip
    assert asked(*words.split(), "--sending-seconds", "6").limits == limits


def test_a_request_has_no_more_images_than_the_queue() -> None:
    assert asked("--queue", "3").limits.images == 3


def test_who_may_come_has_flags(tmp_path: Path) -> None:
    (tmp_path / "tokens").write_bytes(TOKEN)
    names = ("--server-name", "NPU.example", "--cors-origin", "https://App.example/")
    tokens = ("--token-file", f"{tmp_path}/tokens", "--host", "0.0.0.0")  # noqa: S104
    assert asked(*tokens, *names).access == Access(
        tokens=(TOKEN,), names=frozenset({"npu.example"}), origins=("https://app.example",)
    )
    assert asked("--open", "--host", "::").access == Access(public=True)


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--root-path", "npu"),
        ("--server-name", "http://board"),
        ("--server-name", "board:8000"),
        ("--cors-origin", "example.org"),
        ("--cors-origin", "https://example.org/page"),
    ],
)
def test_a_value_that_could_never_match_is_refused(flag: str, value: str) -> None:
    with pytest.raises(click.UsageError, match=value):
        asked(flag, value)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--host", "0.0.0.0"), "--token-file"),  # noqa: S104
        (("--host", "192.0.2.1"), "--open"),
        (("--open", "--token-file", "x"), "not both"),
        (("--keyfile", "x"), "--certfile"),
        (("--name", ""), "give it a name"),
    ],
)
def test_flags_that_do_not_go_together_are_refused(words: tuple[str, ...], why: str) -> None:
    with pytest.raises(click.UsageError, match=why):
        asked(*words)


def test_the_refusal_is_told_before_anything_starts() -> None:
    done = CliRunner().invoke(cli, ["serve", "host", "--host", "192.0.2.1"])
    assert done.exit_code == 2
    assert "--token-file" in done.output
