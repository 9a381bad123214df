"""The flags of the command line. Slow imports happen when they are needed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

ROUNDS: Final = 3
MOST_ROUNDS: Final = 10_000
MOST_REPEATS: Final = 10**9
Command = Callable[..., Any]


def _setting(_context: click.Context, _param: click.Parameter, pairs: tuple[str, ...]) -> Any:
    """Parse --set key=value into a dict; values are YAML, as in a config."""
    from farm.config.yaml_text import parse
    from farm.errors import ConfigError

    values = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise click.BadParameter(f"{pair!r}: write key=value")
        try:
            values[key] = parse(value, key).values
        except ConfigError as error:
            raise click.BadParameter(str(error)) from error
    return values


def _size(_context: click.Context, _param: click.Parameter, text: str | None) -> Any:
    """Parse -s 6 into a number; auto stays as it is."""
    if text is None or text == "auto":
        return text
    try:
        return int(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r:.60}: write a number of runtimes, or auto") from error


def _sizes(_context: click.Context, _param: click.Parameter, text: str | None) -> tuple[int, ...]:
    """Parse --sizes 1,2,3 into sorted numbers, each once."""
    words = [word.strip() for word in text.split(",")] if text is not None else []
    if not all(re.fullmatch("[0-9]{1,9}", word) for word in words):
        raise click.BadParameter(f"{text!r:.60}: write numbers of runtimes like 1,2,3,6")
    return tuple(sorted(set(map(int, words))))


CONFIG: Final = (click.argument("config", required=False),)
WORDS: Final = (click.argument("words", nargs=-1, metavar="[CONFIG] [IMAGES]..."),)
SHARED: Final = (
    click.option("-m", "--model", help="Model file (.onnx, .rknn)."),
    click.option("-s", "--size", callback=_size, help="Number of runtimes, one process each; "
                 "auto measures a few sizes and takes the best."),
    click.option("-p", "--platform", help="rk3562, rk3566, ... rk3588, or host."),
    click.option("-c", "--cpu", help="CPUs of the workers: fast, slow, all, or a list like 4-7."),
    click.option("--labels", help="File with the class names."),
    click.option("--runtime", help="auto, rknn, onnx or simulated."),
    click.option("--set", "settings", multiple=True, callback=_setting, metavar="KEY=VALUE",
                 help="Set a config key, e.g. --set simulated.service_ms=2.6; can be repeated."),
)  # fmt: skip
IMAGES: Final = (
    click.option("-d", "--images", "folders", multiple=True,
                 help="Folder, file, glob, .txt or .lst list of paths, or - on standard input."),
    click.option("-r", "--repeat", type=click.IntRange(1, MOST_REPEATS), metavar="N",
                 help="Repeat the images N times."),
)  # fmt: skip

CONVERSION: Final = (
    click.argument("model", type=click.Path(path_type=Path)),
    click.option("-p", "--platform", required=True, help="The SoC: rk3562, rk3566, ... rk3588."),
    click.option("--calibrate", required=True, metavar="IMAGES",
                 help="Folder, glob or .txt list of images like those the model will see."),
    click.option("-o", "--output", type=click.Path(path_type=Path),
                 help="The .rknn file to write; default: MODEL-SOC.rknn beside the model."),
    click.option("--mean", metavar="R,G,B", help="Subtract this from the values 0 to 255."),
    click.option("--std", metavar="R,G,B", help="Then divide them by this."),
)  # fmt: skip


TUNE: Final = (
    *WORDS,
    IMAGES[0],
    click.option("-o", "--output", type=click.Path(path_type=Path),
                 help="Write the config here, not to CONFIG itself."),
)  # fmt: skip
BENCH: Final = (
    click.option("--sizes", callback=_sizes, metavar="1,2,3,...",
                 help="Measure farms of these sizes, one after the other."),
    click.option("--rounds", type=click.IntRange(1, MOST_ROUNDS), default=ROUNDS, show_default=True,
                 help="Number of timed rounds over the images."),
    click.option("--json", metavar="FILE", help="Write all figures as JSON; - is standard output."),
    click.option("--csv", metavar="FILE", help="Write a line for each size; - is standard output."),
    click.option("--html", metavar="FILE", help="Write a page with charts; - is standard output."),
)  # fmt: skip


def with_options(options: tuple[Command, ...]) -> Callable[[Command], Command]:
    """Return a decorator that adds all of these options to a command."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate
