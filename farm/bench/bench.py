"""The benchmark: a table as go-rknnlite publishes it, a row for each number of runtimes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from farm.bench.outputs import Outputs
from farm.bench.sweep import Images, Sweep
from farm.config import loader as configfile
from farm.config.schema import FarmConfig
from farm.errors import EXIT_OK, EXIT_SIGNAL_BASE, EXIT_SOME_FAILED, SourceError
from farm.hardware.platforms import HOST, detect
from farm.report import text_table as table
from farm.report.compare import Earlier, comparison, read
from farm.report.size_choice import enough
from farm.scheduler.placement import choose_runtime
from farm.sources import files as sources
from farm.sources.sample_images import choose_targets
from farm.system.colour import coloured
from farm.system.log import LOG
from farm.system.signals import Signals
from farm.system.stdio import STDIN
from farm.system.terminal import width_of, wrapped
from workers.runtimes.base import ONNX, SIMULATED

ROUND_IMAGES: Final = 1500  # at least, without -r; so a round takes seconds
COUNTED_AT_ONCE: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The images (empty: those of the config), how often to repeat them, in how many rounds.

    `config` is the config's name. `repeat` None is as often as makes 1500 images a round. `outputs`
    are files by the flags of `outputs.FORMS`, "-" for standard output. `compare` is the JSON file
    of an earlier benchmark.
    """

    config: str
    images: tuple[str, ...]
    recursive: bool
    repeat: int | None
    rounds: int
    outputs: Mapping[str, str]
    compare: str | None = None


def bench(sizes: Sequence[FarmConfig], request: Request) -> int:
    """Measure one farm after the other, print and write the report; return the exit code.

    A farm that fails ends the sweep, but what was measured before it is printed and written.
    """
    sizes = with_some_npu(sizes)
    outputs = Outputs(request.outputs)
    outputs.check()
    earlier = None if request.compare is None else _earlier(request.compare)
    images = _images(choose_targets(sizes[0], request.images), request)

    width = width_of(outputs.table)

    def show(lines: Sequence[str]) -> None:
        text = coloured("\n".join(wrapped(lines, width)), outputs.table)
        print(text, file=outputs.table, flush=True)

    with Signals() as signals:
        sweep = Sweep(images, rounds=request.rounds, signals=signals, show=show, width=width)
        try:
            sweep.run(sizes)
        finally:
            report = sweep.report
            if report is not None and report.sizes:
                show(["", *table.notes(report, enough(report.sizes))])
                if earlier is not None:
                    show(["", *comparison(earlier, report, request.compare or "")])
                outputs.write(report)
        if signals.received:
            LOG.info("stopped by a signal: incomplete rounds do not count")
            return EXIT_SIGNAL_BASE + signals.received[0]
    failed = report is not None and any(size.failures for size in report.sizes)
    return EXIT_SOME_FAILED if failed else EXIT_OK


def _earlier(name: str) -> Earlier:
    try:
        text = Path(name).read_bytes()
    except OSError as error:
        raise SourceError(f"--compare {name}: {error.strerror}") from error
    return read(text, f"--compare {name}")


def with_some_npu(sizes: Sequence[FarmConfig]) -> list[FarmConfig]:
    """Return the configs with the simulated NPU if they need one and this machine has none."""
    first = sizes[0]
    if first.runtime != "auto" or first.platform == HOST or choose_runtime(first, detect()) != ONNX:
        return list(sizes)
    LOG.info(f"no {first.platform} NPU here: measuring with the simulated one")
    values = [config.model_dump(exclude_unset=True) for config in sizes]
    return [configfile.validate({**each, "runtime": SIMULATED}) for each in values]


def _images(names: tuple[str, ...], request: Request) -> Images:
    """Return the images of a round; raise SourceError if there are none or they come only once."""
    if STDIN in names:
        raise SourceError("a benchmark reads its images more than once: name a folder or files")
    opened = partial(sources.open_targets, names, recursive=request.recursive)
    once = opened(times=1)
    count = once.total
    if count is None:
        count = 0
        while taken := len(once.take(COUNTED_AT_ONCE)):
            count += taken
    if not count:
        raise SourceError(f"{', '.join(names)}: no images in it")
    times = request.repeat or -(-ROUND_IMAGES // count)
    return Images(
        config=request.config,
        names=names,
        count=count,
        repeat=times,
        source=partial(opened, times=times),
    )
