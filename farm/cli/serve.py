"""`npu-farm serve`: its flags, what they mean."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from farm.cli.command import command
from farm.cli.extras import SERVE, check_packages
from farm.cli.options import CONFIG, SHARED, with_options
from farm.system.progress import sign_of_life

if TYPE_CHECKING:  # `--help` is quick without
    from farm.config.schema import FarmConfig
    from farm.serving.life import Request
    from farm.serving.security import Access

OURS: Final = (
    *("name", "host", "port", "token_file", "public", "certfile", "keyfile", "names", "origins"),
    *("root_path", "queue", "max_images", "max_body_mb", "max_held_mb", "timeout", "connections"),
    *("sending_seconds", "thumbnails"),
)
SERVER_NAME: Final = re.compile(r"[^/:@\s]+")
ORIGIN: Final = re.compile(r"\*|https?://[^/@\s]+/?", re.IGNORECASE)
FLAGS: Final = (
    click.option("--name", metavar="NAME",
                 help="The model's name in URLs and answers.  [default: its file's]"),
    click.option("--host", metavar="ADDRESS", default="127.0.0.1", show_default=True,
                 help="Listen here; on another address than this machine's own alone, only with "
                 "--token-file or --open."),
    click.option("--port", type=click.IntRange(0, 65535), metavar="N", default=8000,
                 show_default=True, help="And on this port; 0: a free one, which is told."),
    click.option("--no-thumbnails", "thumbnails", is_flag=True, flag_value=False, default=True,
                 help="Show no pictures of what is sent on the page at /."),
    click.option("--token-file", type=click.Path(path_type=Path), metavar="FILE",
                 help="Serve only who sends one of the tokens in this file, one a line."),
    click.option("--open", "public", is_flag=True, help="Serve whoever can reach it."),
    click.option("--certfile", type=click.Path(path_type=Path), metavar="FILE",
                 help="Speak TLS, with this certificate and the others of its chain (PEM)."),
    click.option("--keyfile", type=click.Path(path_type=Path), metavar="FILE",
                 help="Its private key.  [default: in --certfile]"),
    click.option("--server-name", "names", multiple=True, metavar="NAME",
                 help="A name by which browsers reach it, as through a reverse proxy; can be "
                 "repeated."),
    click.option("--cors-origin", "origins", multiple=True, metavar="URL",
                 help="Let web pages of this origin use it (https://example.org; *: all); can be "
                 "repeated."),
    click.option("--root-path", metavar="PREFIX", default="",
                 help="Where a reverse proxy has it, which takes this off: /npu."),
    click.option("--queue", type=click.IntRange(1, 10**6), metavar="N", default=1024,
                 show_default=True, help="Most images that wait or are computed; then 429."),
    click.option("--max-images", type=click.IntRange(1, 10**4), metavar="N", default=64,
                 show_default=True, help="Most images in one request."),
    click.option("--max-body-mb", type=click.IntRange(1, 4095), metavar="N", default=32,
                 show_default=True, help="Largest body of a request."),
    click.option("--max-held-mb", type=click.IntRange(1, 10**6), metavar="N", default=256,
                 show_default=True, help="Most of all bodies together; then 429."),
    click.option("--timeout", type=click.FloatRange(0.001, 86_400), metavar="SECONDS", default=60,
                 show_default=True, help="Longest time to an answer; a client may ask for less."),
    click.option("--connections", type=click.IntRange(1, 10**5), metavar="N", default=1024,
                 show_default=True, help="Most connections at a time."),
    click.option("--sending-seconds", type=click.FloatRange(0.1, 3600), metavar="SECONDS",
                 default=10, show_default=True,
                 help="Time to send a request in, and more for a large one; then it is cut off."),
)  # fmt: skip


@command()
@with_options(CONFIG)
@with_options(SHARED)
@with_options(FLAGS)
def serve(config: str | None, **said: Any) -> None:
    """Answer images over HTTP, with the farm that CONFIG describes.

    On this machine alone, unless told otherwise. It ends by a signal, after what it has taken in.
    """
    click.get_current_context().with_resource(sign_of_life("starting ..."))
    check_packages("serve", SERVE)
    from farm.cli.words import default_config, load_config
    from farm.serving.life import serve as serve_farm

    flags = {each: said.pop(each) for each in OURS}  # the others change the config
    loaded = load_config(config or default_config(said), said)
    sys.exit(serve_farm(loaded, request_of(flags, name_of(loaded))))


def request_of(flags: Mapping[str, Any], name: str) -> Request:
    """Return what flags ask for, of a model with this `name` unless they give it another.

    Raises UsageError for flags that do not go together, and for a name that no path can have.
    """
    from farm.serving.life import Request
    from farm.serving.limits import MB, Limits

    if flags["keyfile"] and not flags["certfile"]:
        raise click.UsageError("--keyfile: name the certificate, too: --certfile")
    if flags["name"] == "":
        raise click.UsageError("--name: give it a name; without --name, it is the model file's")
    if "/" in (name := flags["name"] or name):
        raise click.UsageError(f"--name {name}: leave out the /; the name is a part of URLs")
    limits = Limits(
        queue=flags["queue"],
        images=min(flags["max_images"], flags["queue"]),
        body_bytes=flags["max_body_mb"] * MB,
        held_bytes=flags["max_held_mb"] * MB,
        seconds=flags["timeout"],
        connections=flags["connections"],
        sending_seconds=flags["sending_seconds"],
    )
    return Request(
        name=os.fsencode(name).decode("utf-8", "replace"),  # a file's may be no UTF-8
        limits=limits,
        access=access_of(flags),
        root_path=root_path_of(flags["root_path"]),
        **{each: flags[each] for each in ("host", "port", "certfile", "keyfile", "thumbnails")},
    )


def root_path_of(said: str) -> str:
    """Return a prefix of paths; raises UsageError for what none begins with."""
    if said and not said.startswith("/"):
        raise click.UsageError(f"--root-path {said}: begin it with a /, as paths do: /{said}")
    return said.rstrip("/")


def access_of(flags: Mapping[str, Any]) -> Access:
    """Return who may come; raises UsageError where that would be everybody, and nobody said so."""
    from farm.serving.security import Access, is_loopback, read_tokens

    host, tokens, public = flags["host"], flags["token_file"], flags["public"]
    if tokens and public:
        raise click.UsageError("--token-file or --open, not both")
    if not (tokens or public or is_loopback(host)):
        raise click.UsageError(
            f"--host {host}: other machines could use this service: name a file of tokens with "
            "--token-file, or serve whoever comes with --open"
        )
    for name in flags["names"]:
        if not SERVER_NAME.fullmatch(name):
            raise click.UsageError(f"--server-name {name}: write a name alone: board.local")
    for origin in flags["origins"]:
        if not ORIGIN.fullmatch(origin):
            raise click.UsageError(
                f"--cors-origin {origin}: write how pages of that site begin: https://example.org"
            )
    return Access(
        tokens=read_tokens(tokens) if tokens else (),
        public=public,
        names=frozenset(each.lower() for each in flags["names"]),
        origins=tuple(each.lower().rstrip("/") for each in flags["origins"]),
    )


def name_of(config: FarmConfig) -> str:
    """Return the model's name: its file's stem, or the task's where there is no file."""
    return config.task if config.model is None else config.model.stem
