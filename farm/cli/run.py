"""One run of the farm over images, as the command line does it; gives the exit code."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from farm.api import Farm
from farm.bench.auto_size import decided
from farm.cli import summary as text
from farm.cli.progress import open_progress
from farm.config.schema import FarmConfig
from farm.errors import (
    EXIT_OK,
    EXIT_SIGNAL_BASE,
    EXIT_SOME_FAILED,
    InterruptedStartError,
    InterruptedWriteError,
    OutputError,
)
from farm.results.resume import Remaining
from farm.results.resume_index import ResumeIndex, read
from farm.results.stats import Stats
from farm.results.writers import JSONL, Writer, open_writer
from farm.sources import files as sources
from farm.sources.sample_images import choose_targets
from farm.system.fd_writer import WriteDeadline
from farm.system.signals import Signals
from farm.system.terminal import say


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to classify (`targets`; empty: what the config says), how often, where results go.

    With `resume`, `output` is gone on with.
    """

    targets: tuple[str, ...]
    repeat: int
    output: Path | None
    resume: bool
    ordered: bool
    quiet: bool


def run(config: FarmConfig, request: Request) -> int:
    """Classify what `request` names; gives 0 (all ok), 1 (some failed) or 128 plus a signal."""
    everything = sources.open_targets(choose_targets(config, request.targets), times=request.repeat)
    earlier = _earlier(request)
    stats = Stats()
    with Signals() as signals:
        source = Remaining(everything, earlier, lambda: bool(signals.received))
        patience = WriteDeadline(signals, config.drain_seconds)
        config = decided(config, say, signals)
        farm = Farm(config, tell=say, signals=signals, first_id=earlier.next_id)
        output = open_writer(
            request.output, request.quiet, patience, earlier if request.resume else None
        )
        try:
            # The output is opened last: a farm that can't start leaves earlier results alone.
            with farm, summarized(farm, stats, source), output as writer:
                _classify(farm, source, request, stats, writer)
        except (InterruptedStartError, InterruptedWriteError) as error:
            say(str(error))
        if signals.received:
            say("stopped by a signal: not all images were processed")
            return EXIT_SIGNAL_BASE + signals.received[0]
        if stats.ended != farm.submitted:  # a bug, and the one thing that must not pass unseen
            say(f"{farm.submitted} images were submitted, {stats.ended} have a result")
            return EXIT_SOME_FAILED
    return EXIT_SOME_FAILED if stats.failures else EXIT_OK


def _earlier(request: Request) -> ResumeIndex:
    """What earlier runs have done of this one; raises OutputError where that can't be known."""
    if not request.resume:
        return ResumeIndex()
    if request.output is None:
        raise OutputError(f"--resume: name the file to go on with: -o results{JSONL}")
    if request.output.suffix != JSONL:
        raise OutputError(f"--resume: {request.output}: only a {JSONL} file can be gone on with")
    earlier = read(request.output)
    if earlier.torn:
        say(
            f"{request.output}: its last line was cut off ({earlier.torn} bytes of it are there); "
            "it is taken out, its image is done again"
        )
    return earlier


def _classify(
    farm: Farm, source: Remaining, request: Request, stats: Stats, writer: Writer
) -> None:
    on_terminal = not request.quiet and request.output is None and sys.stdout.isatty()
    truth = truth_of(farm.config.truth)
    with open_progress(source.total, lines_on_terminal=on_terminal) as progress:
        for result in farm.run(source, ordered=request.ordered):
            writer.write(result, time.monotonic())
            stats.count(result, truth(result.path))
            progress.advance(skipped=source.skipped)


@contextmanager
def summarized(farm: Farm, stats: Stats, source: Remaining) -> Iterator[None]:
    """Print the summary of what was done in the block, however it ends."""
    begun = time.monotonic()
    try:
        yield
    finally:
        stats.losses, stats.left_out = farm.losses, farm.bad_cores
        stats.dropped, stats.skipped = farm.strays, source.skipped
        snapshot = stats.snapshot(seconds=time.monotonic() - begun)
        print("\n".join(text.summary(snapshot, farm.plan)), file=sys.stderr)


def truth_of(pattern: str | None) -> Callable[[str | None], str | None]:
    """Give the function that reads the right label off a path, as the config's `truth` says."""
    if pattern is None:
        return lambda _path: None
    search = re.compile(pattern).search

    def label(path: str | None) -> str | None:
        found = search(path) if path is not None else None
        return found.group(1) if found else None

    return label
