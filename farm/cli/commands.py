"""The commands: parse, call, print. Everything slow to import is imported when it is needed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from farm.cli.boards import boards
from farm.cli.command import HELP, TYPED, FarmGroup, command
from farm.cli.config_group import config
from farm.cli.hub import hub
from farm.cli.join import join
from farm.cli.options import (
    ASKED,
    BENCH,
    CONFIG,
    CONVERSION,
    IMAGES,
    INIT,
    RENDER,
    RUN,
    SHARED,
    TUNE,
    WORDS,
    with_options,
)
from farm.cli.send import send
from farm.cli.serve import serve
from farm.cli.top import top
from farm.system.log import LOG
from farm.system.progress import sign_of_life
from farm.system.terminal import printable, width_of
from workers.shell import quoted, shell_command


@command()
@with_options(WORDS)
@with_options(SHARED)
@with_options(IMAGES)
@with_options(RUN)
def run(words: tuple[str, ...], folders: tuple[str, ...], repeat: int | None, **said: Any) -> None:
    """Run a model on images, with the farm that CONFIG describes.

    CONFIG is the name of a bundled config (host, rk3588, ..., detect) or the path of a file; by
    default, it is this machine's. IMAGES are folders, files, globs, .txt lists of paths, or -
    for a list on standard input; by default, bundled samples.
    Results go to standard output, everything else to standard error.
    """
    click.get_current_context().with_resource(sign_of_life("starting ..."))
    from farm.cli.request import Request
    from farm.cli.run import run as run_farm
    from farm.cli.words import load_config, split
    from farm.sources.sample_images import choose_targets

    asked = {flag: said.pop(flag) for flag in ASKED}  # the others change the config
    if asked["resume"] and asked["overwrite"]:
        raise click.UsageError("--resume or --overwrite, not both")
    config, images = split(words, said)
    loaded = load_config(config, said)
    request = Request(
        command="run",
        targets=choose_targets(loaded, (*folders, *images)),
        repeat=repeat or 1,
        typed=click.get_current_context().meta[TYPED],
        **asked,
    )
    sys.exit(run_farm(loaded, config, request))


@command()
@with_options(CONFIG)
@with_options(SHARED)
def plan(config: str | None, **said: Any) -> None:
    """Show which worker would run where, and start nothing."""
    from farm.cli.summary import plan_table
    from farm.cli.words import default_config, load_config
    from farm.hardware.platforms import detect
    from farm.scheduler.placement import plan as make_plan
    from farm.system.colour import coloured

    planned = make_plan(load_config(config or default_config(said), said), detect(), "(at start)")
    print(coloured("\n".join(plan_table(planned, width_of(sys.stdout))), sys.stdout))


@command()
@with_options(WORDS)
@with_options(SHARED)
@with_options(IMAGES)
@with_options(BENCH)
def bench(
    words: tuple[str, ...],
    folders: tuple[str, ...],
    recursive: bool,
    sizes: tuple[int, ...],
    repeat: int | None,
    **said: Any,
) -> None:
    """Measure a farm and name its bottleneck.

    Prints execution time, saturation of each NPU core and average time per image. Without the
    platform's NPU this measures the simulated one, and the table says so.
    """
    click.get_current_context().with_resource(sign_of_life("starting ..."))
    from farm.bench.bench import Request
    from farm.bench.bench import bench as run_bench
    from farm.cli.words import load_config, split

    if sizes and said["size"] is not None:
        raise click.UsageError("--size or --sizes, not both")
    outputs = {f"--{form}": said.pop(form) for form in ("json", "csv", "html", "markdown")}
    rounds, earlier = said.pop("rounds"), said.pop("compare")
    config, images = split(words, said)
    request = Request(
        config=config,
        images=(*folders, *images),
        recursive=recursive,
        repeat=repeat,
        rounds=rounds,
        compare=earlier,
        outputs={flag: name for flag, name in outputs.items() if name is not None},
    )
    loaded = [load_config(config, {**said, "size": size}) for size in sizes or (said["size"],)]
    sys.exit(run_bench(loaded, request))


@command()
@with_options(TUNE)
def tune(
    words: tuple[str, ...], folders: tuple[str, ...], recursive: bool, output: Path | None
) -> None:
    """Find the best size and decoders, and write them to CONFIG.

    The best size is the smallest that is as fast as any. After measuring the simulated NPU, or with
    a bundled config, this writes only if -o names a file.
    """
    click.get_current_context().with_resource(sign_of_life("starting ..."))
    from farm.bench.tune import Request
    from farm.bench.tune import tune as run_tune
    from farm.cli.words import load_config, split

    config, images = split(words, {})
    request = Request(config=config, images=(*folders, *images), recursive=recursive, output=output)
    sys.exit(run_tune(load_config(config, {}), request))


@command()
@with_options(INIT)
def init(name: str | None, output: Path) -> None:
    """Write farm.yaml, a copy of the bundled config NAME to begin with.

    By default, it is this machine's.
    """
    from farm.config.bundled import copy_config, default_name

    copy_config(chosen := name or default_name(), output)
    path = str(output)
    then = shell_command(f"npu-farm run {quoted(f'./{path}' if path.startswith('-') else path)}")
    print(f"{printable(path)}: a copy of the bundled config {chosen}; change it, then:\n  {then}")


@command()
@with_options(RENDER)
def render(folder: Path, count: int | None, seed: int | None, scenes: bool) -> None:
    """Draw sample images into FOLDER.

    Each shows one character, and its name contains the right label; or, with --scenes, several.
    """
    from farm.sources.sample_images import write_samples

    paths = write_samples(folder, scenes=scenes, count=count, seed=seed)
    print(f"{len(paths)} images in {printable(str(folder))}")


@command()
@with_options(CONFIG)
@with_options(SHARED)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def doctor(config: str | None, as_json: bool, **said: Any) -> None:
    """Find what keeps this board's NPU from working.

    Says for each problem what to do. With CONFIG it also checks the model and the memory, and runs
    an inference on every NPU core.
    The exit code is 0 if all is well, 1 after warnings, 2 after failures.
    """
    click.get_current_context().with_resource(sign_of_life("checking ..."))
    from farm.cli.words import default_config, load_config
    from farm.doctor.board import Caller, read
    from farm.doctor.doctor import Target
    from farm.doctor.finding import Report, ok
    from farm.doctor.npu_self_test import self_test
    from farm.hardware import environment
    from farm.report.subject_text import versions
    from farm.system.colour import coloured

    if config is None and any(said.values()):
        config = default_config(said)
    loaded = load_config(config, said) if config is not None else None
    target = Target(read(Path("/"), Caller.current()), loaded, self_test)
    report = Report((ok("versions", versions(environment.facts())), *target.examine()))
    if config is not None:
        report = report.with_config_path(config)
    if as_json:
        values = None if loaded is None else loaded.model_dump(mode="json")
        print(report.to_json(command=environment.command_line(), config=values))
    else:
        print(coloured(report.to_text(width_of(sys.stdout)), sys.stdout))
    if (hint := target.hint()) is not None:
        print(hint, file=sys.stderr)
    sys.exit(report.status.value)


@command()
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
    path = printable(str(made.path))
    print(f"{path}: INT8 for {made.platform}, calibrated on {made.images} images")


@click.group(cls=FarmGroup, usual="run", context_settings=HELP)
@click.version_option(package_name="npu-farm")
def cli() -> None:
    """Keep every NPU core busy with RKNN models. More: npu-farm COMMAND --help"""


for _each in (
    *(run, serve, hub, join, send, boards, top, plan, bench, tune),
    *(init, config, render, convert, doctor),
):
    cli.add_command(_each)
