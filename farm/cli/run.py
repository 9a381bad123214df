"""`npu-farm run`: run a model on images, write results, tell the summary; return the exit code."""

from __future__ import annotations

from contextlib import AbstractContextManager

from farm.api import Farm
from farm.bench.subject import subject
from farm.cli.character_note import with_note
from farm.cli.judge import truth_of
from farm.cli.looks import open_looks
from farm.cli.request import Request
from farm.cli.work import Work
from farm.config.schema import FarmConfig
from farm.errors import InterruptedStartError, InterruptedWriteError
from farm.results.answer_format import format_of
from farm.results.resume import Remaining
from farm.results.stats import Stats
from farm.results.writers import open_writer
from farm.sources import files as sources
from farm.system.fd_writer import WriteDeadline
from farm.system.log import LOG, tell_written
from farm.system.progress import starting
from farm.system.signals import Signals
from farm.watch.below_bar import BelowBar


def run(config: FarmConfig, name: str, request: Request) -> int:
    """Run the model on what `request` names; return 0, 1 (some failed), or 128 plus a signal.

    `name` is the config as it was named.
    """
    request.check()
    answers = format_of(config.task)
    earlier = request.earlier(answers)
    targets, recursive = request.targets, request.recursive
    everything = sources.open_targets(targets, times=request.repeat, recursive=recursive)
    truth, submitted = truth_of(config.truth, config.labels, targets, recursive=recursive), 0
    with (
        Signals() as signals,
        open_looks(
            request, truth, signals, seconds=config.drain_seconds, max_pixels=config.max_pixels
        ) as looks,
    ):
        source = Remaining(everything, earlier, lambda: bool(signals.received))
        work = Work(
            request=request, earlier=earlier, source=source, stats=Stats(truth=truth), looks=looks,
            signals=signals,
        )  # fmt: skip
        deadline = WriteDeadline(signals, config.drain_seconds)
        farm = Farm(config, signals=signals, starting=starting)
        kept = None if request.overwrite else earlier
        output = open_writer(request.output, request.quiet, answers, deadline, kept)
        try:
            # The output is opened after: a farm that can't start leaves earlier results alone.
            with farm, output as writer, _summing_up(farm, name, work):
                results = farm.run(source, ordered=request.ordered, first_id=earlier.next_id)
                noted = with_note(looks.beside(results), config.model)
                work.write(noted, (writer, *looks.pages), BelowBar(farm.snapshot))
                submitted = results.submitted
            if request.output is not None:
                tell_written(request.output)
        except (InterruptedStartError, InterruptedWriteError) as error:
            LOG.info(str(error))
        return work.end(submitted)


def _summing_up(farm: Farm, name: str, work: Work) -> AbstractContextManager[None]:
    """See Work.summing_up."""
    known = {"digest": farm.model_sha256, "reading": farm.reading}
    what = subject(farm.config, farm.plan, work.request.targets, name=name, **known)

    def count(stats: Stats) -> None:
        stats.losses, stats.left_out, stats.dropped = farm.losses, farm.bad_cores, farm.strays

    return work.summing_up(what, count, simulated=farm.plan.simulated)
