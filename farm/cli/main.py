"""The command line: parse, call, print. Everything slow to import is imported when it is needed."""

from __future__ import annotations

import signal
import sys
from functools import partial
from pathlib import Path
from typing import Any, Final

import click

from farm.cli.options import BENCH, CONVERSION, IMAGES, SHARED, TUNE, with_options
from farm.errors import EXIT_SOME_FAILED, FarmError
from farm.system import stdio
from farm.system.log import JSON, LOG, TEXT, configure
from workers.environment import forget_opencv_variables


class _FarmCommand(click.Command):
    """A command whose FarmErrors become a message and an exit code, never a traceback."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.params.append(
            click.Option(
                ["--log-format"],
                type=click.Choice([TEXT, JSON]),
                default=TEXT,
                show_default=True,
                help="How to write messages to standard error; json: one object a line.",
            )
        )

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        configure(ctx.params.pop("log_format"))
        try:
            return super().invoke(ctx)
        except FarmError as error:
            LOG.error(str(error), extra={"event": "failed"})
            sys.exit(error.exit_code)
        except BrokenPipeError:
            raise  # whoever read our output has gone; click ends quietly
        except OSError as error:
            LOG.error(str(error), extra={"event": "failed"})
            sys.exit(EXIT_SOME_FAILED)


_HELP: Final = {"help_option_names": ["-h", "--help"]}
_command: Final = partial(click.command, cls=_FarmCommand, context_settings=_HELP)


def _load(config: Path, said: dict[str, Any]) -> Any:
    from farm.config.loader import load

    settings = said.pop("settings")
    flags = {key: value for key, value in said.items() if value is not None}
    return load(config, {**flags, **settings})


@_command()
@with_options(SHARED)
@with_options(IMAGES)
@click.argument("images", nargs=-1)
@click.option("-q", "--quiet", is_flag=True, help="Print no line per image, only the summary.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Write a .jsonl or .csv file."
)
@click.option(
    "--resume", is_flag=True, help="Append to the .jsonl file of -o: skip the images it has."
)
@click.option("--ordered", is_flag=True, help="Output results in the order of the images.")
def run(  # noqa: PLR0913, PLR0917 - click passes each flag on its own
    config: Path,
    images: tuple[str, ...],
    folders: tuple[str, ...],
    repeat: int | None,
    quiet: bool,
    output: Path | None,
    resume: bool,
    ordered: bool,
    **said: Any,
) -> None:
    """Classify images with the farm that CONFIG describes.

    IMAGES are folders, files, globs, .txt lists of paths, or - for a list on standard input.
    Results go to standard output, everything else to standard error.
    """
    from farm.cli.run import Request
    from farm.cli.run import run as run_farm

    request = Request(
        targets=(*folders, *images),
        repeat=repeat or 1,
        output=output,
        resume=resume,
        ordered=ordered,
        quiet=quiet,
    )
    sys.exit(run_farm(_load(config, said), request))


@_command()
@with_options(SHARED)
def plan(config: Path, **said: Any) -> None:
    """Show which worker would run where, and start nothing."""
    from farm.cli.summary import plan_table
    from farm.hardware.platforms import detect
    from farm.scheduler.placement import plan as make_plan

    print("\n".join(plan_table(make_plan(_load(config, said), detect(), "(at start)"))))


@_command()
@with_options(SHARED)
@with_options(IMAGES)
@with_options(BENCH)
def bench(
    config: Path,
    folders: tuple[str, ...],
    sizes: tuple[int, ...],
    repeat: int | None,
    **said: Any,
) -> None:
    """Measure a farm and name its bottleneck.

    Prints execution time, saturation of each NPU core and average time per image. Without the
    platform's NPU this measures the simulated one, and the table says so.
    """
    from farm.bench.bench import Request
    from farm.bench.bench import bench as run_bench

    if sizes and said["size"] is not None:
        raise click.UsageError("--size or --sizes, not both")
    outputs = {f"--{form}": said.pop(form) for form in ("json", "csv", "html")}
    request = Request(
        images=folders,
        repeat=repeat,
        rounds=said.pop("rounds"),
        outputs={flag: name for flag, name in outputs.items() if name is not None},
    )
    loaded = [_load(config, {**said, "size": size}) for size in sizes or (said["size"],)]
    sys.exit(run_bench(loaded, request))


@_command()
@with_options(TUNE)
def tune(config: Path, folders: tuple[str, ...], output: Path | None) -> None:
    """Find the best size and decoders, and write them to CONFIG.

    The best size is the smallest that is as fast as any. After measuring the simulated NPU, this
    writes only if -o names a file.
    """
    from farm.bench.tune import Request
    from farm.bench.tune import tune as run_tune

    loaded = _load(config, {"settings": {}})
    sys.exit(run_tune(loaded, Request(config=config, images=folders, output=output)))


@_command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("-n", "--count", type=click.IntRange(min=1), help="Number of images.")
@click.option("--seed", type=click.IntRange(min=0), help="Another seed draws other images.")
def render(folder: Path, count: int | None, seed: int | None) -> None:
    """Draw sample images into FOLDER.

    Each shows one character; its name contains the right label.
    """
    from farm.sources.renders import write_renders
    from farm.sources.sample_images import COUNT, SEED

    paths = write_renders(folder, count=count or COUNT, seed=SEED if seed is None else seed)
    print(f"{len(paths)} images in {folder}")


@_command()
@click.argument("config", type=click.Path(path_type=Path), required=False)
@with_options(SHARED[1:])
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def doctor(config: Path | None, as_json: bool, **said: Any) -> None:
    """Find what keeps this board's NPU from working.

    Says for each problem what to do. With CONFIG it also checks the model and the memory, and runs
    an inference on every NPU core.
    The exit code is 0 if all is well, 1 after warnings, 2 after failures.
    """
    from farm.doctor.board import Caller, read
    from farm.doctor.doctor import Target
    from farm.doctor.finding import Report
    from farm.doctor.npu_self_test import self_test

    if config is None and any(value for value in said.values()):
        raise click.UsageError("these flags change a config: name one")
    loaded = _load(config, said) if config is not None else None
    target = Target(read(Path("/"), Caller.current()), loaded, self_test)
    report = Report(tuple(target.examine()))
    if config is not None:
        report = report.with_config_path(str(config))
    print(report.to_json() if as_json else report.to_text())
    if (hint := target.hint()) is not None:
        print(hint, file=sys.stderr)
    sys.exit(report.status.value)


@_command()
@with_options(CONVERSION)
def convert(**said: Any) -> None:
    """Convert an ONNX MODEL to an INT8 .rknn for one SoC.

    Needs a PC with rknn-toolkit2.
    """
    from farm.convert.convert import Conversion
    from farm.convert.convert import convert as convert_model
    from farm.system.signals import exit_on_signals

    exit_on_signals()
    made = convert_model(Conversion.from_flags(said), LOG.info)
    print(f"{made.path}: INT8 for {made.platform}, calibrated on {made.images} images")


@click.group(context_settings=_HELP)
@click.version_option(package_name="npu-farm")
def cli() -> None:
    """Keep every NPU core busy: a farm of worker processes for RKNN models."""


for _each in (run, plan, bench, tune, render, convert, doctor):
    cli.add_command(_each)


def main(command: click.Command = cli, name: str | None = None) -> None:
    """Run a command with this process's arguments, signals and standard streams."""
    # Until a farm runs, Ctrl-C simply ends the program, unless its parent has it ignored (`cmd &`).
    if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    stdio.prepare()
    forget_opencv_variables()
    command(prog_name=name)
