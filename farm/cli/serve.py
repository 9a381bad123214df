"""`npu-farm serve`: its flags, what they mean."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import click

from farm.cli.command import command
from farm.cli.options import CONFIG, SHARED, with_options
from farm.errors import ConfigError
from farm.system.progress import sign_of_life
from workers.shell import shell_command

if TYPE_CHECKING:  # `--help` is quick without
    from farm.config.schema import FarmConfig

NEEDED: Final = ("starlette", "uvicorn", "httptools", "python_multipart", "prometheus_client")
FLAGS: Final = (
    click.option("--name", metavar="NAME",
                 help="The model's name in URLs and answers.  [default: its file's]"),
    click.option("--host", metavar="ADDRESS", default="127.0.0.1", show_default=True,
                 help="Listen here."),
    click.option("--port", type=click.IntRange(0, 65535), metavar="N", default=8000,
                 show_default=True, help="And on this port; 0: a free one, which is told."),
    click.option("--no-thumbnails", is_flag=True,
                 help="Show no pictures of what is sent on the page at /."),
)  # fmt: skip


@command()
@with_options(CONFIG)
@with_options(SHARED)
@with_options(FLAGS)
def serve(
    config: str | None, name: str | None, host: str, port: int, no_thumbnails: bool, **said: Any
) -> None:
    """Answer images over HTTP, with the farm that CONFIG describes.

    Needs the packages of the extra `serve`.
    """
    click.get_current_context().with_resource(sign_of_life("starting ..."))
    from farm.cli.words import default_config, load_config

    life = serving()
    loaded = load_config(config or default_config(said), said)
    request = life.Request(
        host=host,
        port=port,
        name=name or name_of(loaded),
        limits=life.Limits(),
        thumbnails=not no_thumbnails,
    )
    sys.exit(life.serve(loaded, request))


def serving() -> ModuleType:
    """Return farm.serving.life; raises ConfigError with what to install if its packages lack."""
    lacking = [name for name in NEEDED if find_spec(name) is None]
    if lacking:
        install = shell_command("pip install 'npu-farm[serve]'")
        raise ConfigError(f"`serve` needs {', '.join(lacking)}, not installed here:\n  {install}")
    from farm.serving import life

    return life


def name_of(config: FarmConfig) -> str:
    """Return the model's name: its file's stem, or the task's where there is no file."""
    return config.task if config.model is None else config.model.stem
