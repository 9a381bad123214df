"""The command line's flags; what is slow to import is imported when it is needed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

ROUNDS: Final = 3
Command = Callable[..., Any]


def _setting(_context: click.Context, _param: click.Parameter, pairs: tuple[str, ...]) -> Any:
    """Turn --set key=value into a dict; values are read as YAML, as in a config."""
    import yaml

    from farm.config.loader import NOT_YAML

    values = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise click.BadParameter(f"{pair!r}: write key=value")
        try:
            values[key] = yaml.safe_load(value)
        except NOT_YAML as error:
            raise click.BadParameter(f"{pair!r}: the value is not YAML") from error
    return values


def _size(_context: click.Context, _param: click.Parameter, text: str | None) -> Any:
    """Turn -s 6 into a number; auto stays a word."""
    if text is None or text == "auto":
        return text
    try:
        return int(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r}: write a number of runtimes, or auto") from error


def _sizes(_context: click.Context, _param: click.Parameter, text: str | None) -> tuple[int, ...]:
    """Turn --sizes 1,2,3 into rising numbers, each once."""
    words = [word.strip() for word in text.split(",")] if text is not None else []
    if not all(word.isascii() and word.isdigit() for word in words):
        raise click.BadParameter(f"{text!r}: write numbers of runtimes like 1,2,3,6")
    return tuple(sorted(set(map(int, words))))


SHARED: Final = (
    click.argument("config", type=click.Path(path_type=Path)),
    click.option("-m", "--model", help="Model file (.onnx, .rknn)."),
    click.option("-s", "--size", callback=_size, help="Number of runtimes, one process each; "
                 "auto decides between few by measuring."),
    click.option("-p", "--platform", help="rk3562, rk3566, ... rk3588, or host."),
    click.option("-c", "--cpu", help="CPUs to run on: fast, slow, all, or a list like 4-7."),
    click.option("--labels", help="Labels file, one class a line."),
    click.option("--runtime", help="auto, rknn, onnx or simulated."),
    click.option("--set", "settings", multiple=True, callback=_setting, metavar="KEY=VALUE",
                 help="Any config key, e.g. --set simulated.service_ms=2.6; may be repeated."),
)  # fmt: skip
IMAGES: Final = (
    click.option("-d", "--images", "folders", multiple=True,
                 help="Folder, file, glob, .txt list of paths, or - for a list on stdin."),
    click.option("-r", "--repeat", type=click.IntRange(min=1), help="Go over the images so often."),
)  # fmt: skip

CONVERSION: Final = (
    click.argument("model", type=click.Path(path_type=Path)),
    click.option("-p", "--platform", required=True, help="The SoC: rk3562, rk3566, ... rk3588."),
    click.option("--calibrate", required=True, metavar="IMAGES",
                 help="Folder, glob or .txt list of images like those it will see."),
    click.option("-o", "--output", type=click.Path(path_type=Path),
                 help="Without: MODEL-SOC.rknn beside the model."),
    click.option("--mean", metavar="R,G,B", help="What to subtract from values 0 to 255."),
    click.option("--std", metavar="R,G,B", help="What to divide them by after that."),
)  # fmt: skip


TUNE: Final = (
    click.argument("config", type=click.Path(path_type=Path)),
    IMAGES[0],
    click.option("-o", "--output", type=click.Path(path_type=Path),
                 help="Write here, not to CONFIG itself."),
)  # fmt: skip
BENCH: Final = (
    click.option("--sizes", callback=_sizes, metavar="1,2,3,...",
                 help="Measure farms of these sizes, one after the other."),
    click.option("--rounds", type=click.IntRange(min=1), default=ROUNDS, show_default=True,
                 help="Go over the repeated images so often, each time timed."),
    click.option("--json", metavar="FILE", help="All that was measured; - is standard output."),
    click.option("--csv", metavar="FILE", help="A line for each size; - is standard output."),
    click.option("--html", metavar="FILE", help="A page with charts; - is standard output."),
)  # fmt: skip


def with_options(options: tuple[Command, ...]) -> Callable[[Command], Command]:
    """Decorate a command with all of these options."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate
