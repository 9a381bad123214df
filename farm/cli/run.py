"""`npu-farm run`: run a model on images, write results, tell the summary; return the exit code."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from farm.api import Farm
from farm.bench.subject import subject
from farm.cli.character_note import with_note
from farm.cli.judge import truth_of
from farm.cli.looks import Look, open_looks
from farm.cli.stopped import how_to_go_on, tell_stop
from farm.cli.summary import INDENT, failures, summary
from farm.config.schema import FarmConfig
from farm.errors import (
    EXIT_OK,
    EXIT_SIGNAL_BASE,
    EXIT_SOME_FAILED,
    InterruptedStartError,
    InterruptedWriteError,
    OutputError,
    SourceError,
)
from farm.hardware import environment
from farm.results.answer_format import AnswerFormat, format_of
from farm.results.result import Result
from farm.results.resume import Remaining
from farm.results.resume_index import ResumeIndex, read
from farm.results.stats import Stats
from farm.results.writers import JSONL, Writer, check_empty, check_name, open_writer
from farm.sources import files as sources
from farm.system.fd_writer import WriteDeadline
from farm.system.log import LOG, tell_written
from farm.system.progress import Progress, open_progress, starting
from farm.system.signals import Signals
from farm.system.terminal import width_of, wrapped
from farm.watch.below_bar import BelowBar


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which images (`targets`), how often, where results go.

    `config` is the config's name. With `recursive`, the folders in folders are looked into.

    With `resume`, `output` is gone on with, with `overwrite` replaced; without, it must be empty.
    `html` is the page to make of the results, `annotate` the folder for annotated copies.
    `typed` are the command's words as the user typed them.
    """

    config: str
    targets: tuple[str, ...]
    recursive: bool
    repeat: int
    output: Path | None
    html: Path | None
    annotate: Path | None
    resume: bool
    overwrite: bool
    typed: tuple[str, ...]
    ordered: bool
    quiet: bool


def run(config: FarmConfig, request: Request) -> int:
    """Run the model on what `request` names; return 0, 1 (some failed), or 128 plus a signal."""
    answers = format_of(config.task)
    earlier = _resume_index(request, answers)
    if request.output is not None:
        check_name(request.output)
    targets, recursive = request.targets, request.recursive
    everything = sources.open_targets(targets, times=request.repeat, recursive=recursive)
    stats, submitted = Stats(truth=truth_of(config, targets, recursive=recursive)), 0
    with Signals() as signals, open_looks(config, request, stats.truth, signals) as looks:
        source = Remaining(everything, earlier, lambda: bool(signals.received))
        deadline = WriteDeadline(signals, config.drain_seconds)
        farm = Farm(config, signals=signals, starting=starting)
        kept = None if request.overwrite else earlier
        output = open_writer(request.output, request.quiet, answers, deadline, kept)
        try:
            # The output is opened after: a farm that can't start leaves earlier results alone.
            with farm, output as writer, _summing_up(farm, stats, source, request, looks.pages):
                results = farm.run(source, ordered=request.ordered, first_id=earlier.next_id)
                noted = with_note(looks.beside(results), config.model)
                with _progress(farm, source, request) as shown:
                    _write(noted, source, stats, (writer, *looks.pages), shown)
                submitted = results.submitted
            if request.output is not None:
                tell_written(request.output)
        except (InterruptedStartError, InterruptedWriteError) as error:
            LOG.info(str(error))
        if signals.received:
            again = how_to_go_on(request.output, request.typed, listed=bool(source.fds))
            tell_stop(signals.received[0], source.skipped + stats.ended, source.total, again)
            return EXIT_SIGNAL_BASE + signals.received[0]
        if earlier.digests and stats.ended and not source.skipped:
            LOG.warning(
                f"{request.output}: none of its {len(earlier.digests)} earlier results was of "
                "these images; for --resume, an absolute and a relative path are two images"
            )
        if stats.ended != submitted:  # a bug, and the one thing that must not pass unseen
            LOG.error(f"{submitted} images were submitted, {stats.ended} have a result")
            return EXIT_SOME_FAILED
    return EXIT_SOME_FAILED if stats.failures or looks.lacking else EXIT_OK


def _resume_index(request: Request, answers: AnswerFormat) -> ResumeIndex:
    """Return what earlier runs have done of this one; raise OutputError if that is unknown."""
    if request.output is None and (
        request.resume or (request.overwrite and not (request.html or request.annotate))
    ):
        flag, what = ("resume", "append to") if request.resume else ("overwrite", "replace")
        raise OutputError(f"--{flag}: name the file to {what}: -o results{JSONL}")
    if request.output is None or request.overwrite:
        return ResumeIndex()
    if not request.resume:
        check_empty(request.output)
        return ResumeIndex()
    if request.output.suffix != JSONL:
        raise OutputError(f"--resume: {request.output}: only a {JSONL} file can be resumed")
    earlier = read(request.output, answers.key)
    if earlier.torn:
        LOG.info(
            f"{request.output}: its last line was cut off after {earlier.torn} bytes; "
            "it is removed, and its image is done again"
        )
    return earlier


def _progress(farm: Farm, source: Remaining, request: Request) -> AbstractContextManager[Progress]:
    on_terminal = not request.quiet and request.output is None and sys.stdout.isatty()
    below = BelowBar(farm.snapshot)
    return open_progress(source.total, lines_on_terminal=on_terminal, below=below)


def _write(
    results: Iterable[Result],
    source: Remaining,
    stats: Stats,
    writers: Sequence[Writer],
    progress: Progress,
) -> None:
    """Write and count each result as it comes, and show progress."""
    for result in results:
        for writer in writers:
            writer.write(result, time.monotonic())
        stats.count(result)
        progress.advance(skipped=source.skipped)


@contextmanager
def _summing_up(
    farm: Farm, stats: Stats, source: Remaining, request: Request, looks: Sequence[Look]
) -> Iterator[None]:
    """Tell the summary of what was done in the block, however it ends.

    Not if the source can't be read from its beginning: there is nothing to sum up.
    """
    known = {"digest": farm.model_sha256, "reading": farm.reading}
    what = subject(farm.config, farm.plan, request.targets, name=request.config, **known)
    begun, unreadable = time.monotonic(), False
    try:
        yield
    except SourceError:
        unreadable = not stats.ended
        raise
    finally:
        if not unreadable:
            stats.losses, stats.left_out = farm.losses, farm.bad_cores
            stats.dropped, stats.skipped = farm.strays, source.skipped
            done = stats.summary(seconds=time.monotonic() - begun)
            if stats.first_failures and (request.quiet or request.output is not None):
                failed = failures(stats.first_failures, done.failed, request.output)
                failed = wrapped(failed, width_of(sys.stderr), indent=4)
                LOG.warning("\n".join(failed), extra={"event": "failures"})
            machine = environment.facts()
            about = {"subject": asdict(what), "machine": machine}
            told = {"event": "summary", "summary": asdict(done), **about}
            lines = wrapped(summary(done, farm.plan, what), width_of(sys.stderr), indent=INDENT)
            LOG.info("\n".join(lines), extra=told)
            for look in looks:
                look.sum_up(done, what, machine, source.total)
