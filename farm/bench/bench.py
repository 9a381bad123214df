"""The benchmark: the table that the field publishes, a row for each number of runtimes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TextIO

from farm.bench.sweep import Images, Sweep
from farm.config import loader as configfile
from farm.config.schema import FarmConfig
from farm.errors import EXIT_OK, EXIT_SIGNAL_BASE, EXIT_SOME_FAILED, OutputError, SourceError
from farm.hardware.platforms import HOST, detect
from farm.report import export
from farm.report import text_table as table
from farm.report.data import Report
from farm.report.html import page
from farm.report.size_choice import enough
from farm.scheduler.placement import choose_runtime
from farm.sources import files as sources
from farm.sources.base import Source
from farm.sources.sample_images import choose_targets
from farm.system.atomic_file import atomic_write
from farm.system.log import LOG
from farm.system.signals import Signals
from farm.system.stdio import STDIN
from workers.runtimes.base import ONNX, SIMULATED

ROUND_IMAGES: Final = 1500  # at least, unless -r says how often; so a round takes seconds
COUNTED_AT_ONCE: Final = 4096
STDOUT: Final = "-"
FORMS: Final[Mapping[str, Callable[[Report], str]]] = {
    "--json": export.as_json,
    "--csv": export.as_csv,
    "--html": page.render,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to go over (`images`; empty: what the config says), how often in how many rounds.

    `repeat` None is as often as makes 1500 images a round. `outputs` are files by the flags of
    FORMS, "-" for standard output.
    """

    images: tuple[str, ...]
    repeat: int | None
    rounds: int
    outputs: Mapping[str, str]


def bench(sizes: Sequence[FarmConfig], request: Request) -> int:
    """Measure one farm after the other, print and write what was found; gives the exit code.

    A farm that fails ends the sweep, but what was measured before it is printed and written.
    """
    sizes = with_some_npu(sizes)
    images = _images(choose_targets(sizes[0], request.images), request.repeat)
    _check(request.outputs)
    out = sys.stderr if STDOUT in request.outputs.values() else sys.stdout
    show = partial(_show, out)
    with Signals() as signals:
        sweep = Sweep(images, rounds=request.rounds, signals=signals, show=show)
        try:
            sweep.over(sizes)
        finally:
            report = sweep.report
            if report is not None and report.sizes:
                show(["", *table.notes(report, enough(report.sizes))])
                _write(report, request.outputs)
        if signals.received:
            LOG.info("stopped by a signal: rounds that were not whole do not count")
            return EXIT_SIGNAL_BASE + signals.received[0]
    failed = report is not None and any(size.failures for size in report.sizes)
    return EXIT_SOME_FAILED if failed else EXIT_OK


def with_some_npu(sizes: Sequence[FarmConfig]) -> list[FarmConfig]:
    """Take the simulated NPU where the platform's own is asked for and not there."""
    first = sizes[0]
    if first.runtime != "auto" or first.platform == HOST or choose_runtime(first, detect()) != ONNX:
        return list(sizes)
    LOG.info(f"no {first.platform} NPU here: measuring with the simulated one")
    values = [config.model_dump(exclude_unset=True) for config in sizes]
    return [configfile.validate({**each, "runtime": SIMULATED}) for each in values]


def _images(names: tuple[str, ...], repeat: int | None) -> Images:
    """What a round goes over; raises SourceError where that is nothing, or nothing twice."""
    if STDIN in names:
        raise SourceError("a benchmark goes over its images more than once: name a folder or files")
    once = sources.open_targets(names, times=1)
    count = once.total if once.total is not None else _counted(once)
    if not count:
        raise SourceError(f"{', '.join(names)}: no images in it")
    times = repeat or -(-ROUND_IMAGES // count)
    source = partial(sources.open_targets, names, times=times)
    return Images(count=count, repeat=times, source=source)


def _counted(source: Source) -> int:
    count = 0
    while taken := len(source.take(COUNTED_AT_ONCE)):
        count += taken
    return count


def _check(outputs: Mapping[str, str]) -> None:
    """Raise OutputError now for a file that could not be written in the end."""
    if list(outputs.values()).count(STDOUT) > 1:
        raise OutputError(f"{' and '.join(outputs)}: only one can go to standard output")
    for flag, name in outputs.items():
        if name != STDOUT:
            with atomic_write(Path(name), flag):
                pass


def _write(report: Report, outputs: Mapping[str, str]) -> None:
    for flag, name in outputs.items():
        text = FORMS[flag](report)
        if name == STDOUT:
            print(text)
            continue
        with atomic_write(Path(name), flag) as part:
            part.write_text(text, encoding="utf-8", newline="")


def _show(out: TextIO, lines: Sequence[str]) -> None:
    print("\n".join(lines), file=out, flush=True)
