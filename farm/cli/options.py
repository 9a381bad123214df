"""The flags of the command line. Slow imports happen when they are needed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from farm.cli import completion as complete
from farm.hardware.platforms import SOCS

ROUNDS: Final = 3
MOST_ROUNDS: Final = 10_000
FIRST_CONFIG: Final = "farm.yaml"
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


def _size(context: click.Context, _param: click.Parameter, text: str | None) -> Any:
    """Parse -s 6 into a number; auto stays as it is."""
    if text is None or text == "auto":
        return text
    try:
        return int(text)
    except ValueError as error:
        said = f"{text!r:.60}: write a number of runtimes, or auto"
        if "," in text and any(each.name == "sizes" for each in context.command.params):
            said += f"; several: --sizes {text:.60}"
        raise click.BadParameter(said) from error


def _sizes(_context: click.Context, _param: click.Parameter, text: str | None) -> tuple[int, ...]:
    """Parse --sizes 1,2,3 into sorted numbers, each once."""
    words = [word.strip() for word in text.split(",")] if text is not None else []
    if not all(re.fullmatch("[0-9]{1,9}", word) for word in words):
        raise click.BadParameter(f"{text!r:.60}: write numbers of runtimes like 1,2,3,6")
    return tuple(sorted(set(map(int, words))))


OF_CONFIG: Final = "  [default: the config's]"
CONFIG: Final = (click.argument("config", required=False, shell_complete=complete.config),)
WORDS: Final = (
    click.argument(
        "words", nargs=-1, metavar="[CONFIG] [IMAGES]...", shell_complete=complete.config
    ),
)
SHARED: Final = (
    click.option("-m", "--model", metavar="FILE", shell_complete=complete.files,
                 help=f"Model, .onnx or .rknn.{OF_CONFIG}"),
    click.option("-s", "--size", callback=_size, metavar="N", shell_complete=complete.words,
                 help="Number of runtimes, one process each; or auto: measure a few sizes and take "
                 "the best.  [default: the config's; else two per NPU core, on host one per CPU]"),
    click.option("-p", "--platform", metavar="SOC", shell_complete=complete.words,
                 help=f"{', '.join(SOCS)}, host, or auto: what this machine is.{OF_CONFIG}"),
    click.option("-c", "--cpu", metavar="CPUS", shell_complete=complete.words,
                 help=f"CPUs of the workers: fast, slow, all, or a list like 4-7.{OF_CONFIG}"),
    click.option("--task", metavar="NAME", shell_complete=complete.words,
                 help="classify, detect, or package.module:name, a function or class of your own."
                 f"{OF_CONFIG}"),
    click.option("--labels", metavar="FILE", shell_complete=complete.files,
                 help=f"The class names, one a line.{OF_CONFIG}"),
    click.option("--runtime", metavar="NAME", shell_complete=complete.words,
                 help="auto (the NPU if there is one, else onnx), rknn (the NPU), onnx (the CPU), "
                 f"or simulated (an NPU that computes nothing).{OF_CONFIG}"),
    click.option("--set", "settings", multiple=True, callback=_setting, metavar="KEY=VALUE",
                 help="Set any key of the config; can be repeated."),
)  # fmt: skip


def images(default: str, repeat: str) -> tuple[Command, ...]:
    """Return the flags that name images, which tell these defaults."""
    return (
        click.option("-d", "--images", "folders", multiple=True, metavar="IMAGES",
                     shell_complete=complete.files,
                     help="Folder, file, glob, .txt or .lst list of paths, or - for a list on "
                     f"standard input; can be repeated.  [default: {default}]"),
        click.option("--recursive", is_flag=True, help="Look into the folders of a folder, too."),
        click.option("-r", "--repeat", type=click.IntRange(1, MOST_REPEATS), metavar="N",
                     help=f"Repeat the images N times.  [default: {repeat}]"),
    )  # fmt: skip


IMAGES: Final = images("the config's; else bundled samples", "1; in bench enough for 1500 images")
RUN: Final = (
    click.option("-q", "--quiet", is_flag=True,
                 help="Print no line per image, only the summary."),
    click.option("--truth", metavar="REGEX",
                 help="Tell the accuracy: folder (each is named after its label), or a regular "
                 f"expression whose one group is the label in a path.{OF_CONFIG}"),
    click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE",
                 help="Write results to a .jsonl or .csv file.  [default: standard output]"),
    click.option("--html", type=click.Path(path_type=Path), metavar="FILE",
                 help="Write a page with all images and their results, to look at in a browser."),
    click.option("--annotate", type=click.Path(path_type=Path), metavar="DIR",
                 help="Write a copy of each image, with boxes or the top-5, to a new folder."),
    click.option("--resume", is_flag=True,
                 help="Append to the .jsonl file of -o: skip the images it has."),
    click.option("--overwrite", is_flag=True,
                 help="Replace what is written to; without it, what is there is refused."),
    click.option("--ordered", is_flag=True, help="Output results in the order of the images."),
)  # fmt: skip
# What a run is asked for by these; the others change the config.
ASKED: Final = (
    *("recursive", "ordered", "quiet", "output", "html", "annotate", "resume", "overwrite"),
)
INIT: Final = (
    click.argument("name", required=False, shell_complete=complete.bundled),
    click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE",
                 default=FIRST_CONFIG, show_default=True, help="Write the config here."),
)  # fmt: skip
RENDER: Final = (
    click.argument("folder", type=click.Path(path_type=Path)),
    click.option("-n", "--count", type=click.IntRange(1, 10**6), metavar="N",
                 help="Number of images.  [default: 200; 100 scenes]"),
    click.option("--seed", type=click.IntRange(0, 2**31 - 1), metavar="N",
                 help="Another seed draws other images.  [default: 7]"),
    click.option("--scenes", is_flag=True,
                 help="Draw several characters on each image, for a detector; where they are goes "
                 "to scenes.json beside them, in COCO's format."),
)  # fmt: skip
CONVERSION: Final = (
    click.argument("model", type=click.Path(path_type=Path)),
    click.option("-p", "--platform", required=True, metavar="SOC", shell_complete=complete.socs,
                 help=f"{', '.join(SOCS)}."),
    click.option("--calibrate", required=True, metavar="IMAGES", shell_complete=complete.files,
                 help="Folder, glob or .txt list of images like those the model will see."),
    IMAGES[1],
    click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE",
                 help="The .rknn file to write.  [default: MODEL-SOC.rknn beside the model]"),
    click.option("--mean", metavar="R,G,B",
                 help="Subtract this from the values 0 to 255.  [default: 0,0,0]"),
    click.option("--std", metavar="R,G,B", help="Then divide them by this.  [default: 1,1,1]"),
    click.option("--fit", type=click.Choice(("stretch", "letterbox", "crop")),
                 help="How an image fills the input.  [default: stretch]"),
    click.option("--color", type=click.Choice(("rgb", "bgr")),
                 help="Order of the channels.  [default: rgb]"),
)  # fmt: skip


TUNE: Final = (
    *WORDS,
    *IMAGES[:2],
    click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE",
                 help="Write the config here.  [default: CONFIG itself]"),
)  # fmt: skip
BENCH: Final = (
    click.option("--sizes", callback=_sizes, metavar="1,2,3,...",
                 help="Measure farms of these sizes, one after the other.  [default: --size]"),
    click.option("--rounds", type=click.IntRange(1, MOST_ROUNDS), metavar="N", default=ROUNDS,
                 show_default=True, help="Number of timed rounds over the images."),
    click.option("--json", metavar="FILE", shell_complete=complete.files,
                 help="Write all figures as JSON; - is standard output."),
    click.option("--csv", metavar="FILE", shell_complete=complete.files,
                 help="Write a line for each size; - is standard output."),
    click.option("--markdown", metavar="FILE", shell_complete=complete.files,
                 help="Write the table as Markdown; - is standard output."),
    click.option("--compare", metavar="FILE", shell_complete=complete.files,
                 help="Compare with an earlier benchmark: a file that --json wrote."),
    click.option("--html", metavar="FILE", shell_complete=complete.files,
                 help="Write a page with charts; - is standard output."),
)  # fmt: skip


def with_options(options: tuple[Command, ...]) -> Callable[[Command], Command]:
    """Return a decorator that adds all of these options to a command."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate
