"""What is done with results, wherever they come from: written, counted, summed up; how it ends."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass

from farm.cli.looks import Looks
from farm.cli.request import Request
from farm.cli.stopped import how_to_go_on, tell_stop
from farm.cli.summary import INDENT, failures, summary
from farm.errors import EXIT_OK, EXIT_SIGNAL_BASE, EXIT_SOME_FAILED, SourceError
from farm.hardware import environment
from farm.report.subject import Subject
from farm.results.result import Result
from farm.results.resume import Remaining
from farm.results.resume_index import ResumeIndex
from farm.results.stats import Stats
from farm.results.writers import Writer
from farm.system.log import LOG
from farm.system.progress import Progress, open_progress
from farm.system.signals import Signals
from farm.system.terminal import width_of, wrapped
from farm.watch.below_bar import BelowBar


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A request that is being worked on: the images it has left, and what is counted of them."""

    request: Request
    earlier: ResumeIndex
    source: Remaining
    stats: Stats
    looks: Looks
    signals: Signals

    def write(
        self, results: Iterable[Result], writers: Sequence[Writer], below: BelowBar | None = None
    ) -> None:
        """Write and count each result as it comes, and show progress, more of it `below` a bar."""
        with self._progress(below) as progress:
            for result in results:
                for writer in writers:
                    writer.write(result, time.monotonic())
                self.stats.count(result)
                progress.advance(skipped=self.source.skipped)

    def _progress(self, below: BelowBar | None) -> AbstractContextManager[Progress]:
        asked = self.request
        on_terminal = not asked.quiet and asked.output is None and sys.stdout.isatty()
        return open_progress(self.source.total, lines_on_terminal=on_terminal, below=below)

    @contextmanager
    def summing_up(
        self, what: Subject, count: Callable[[Stats], None], *, simulated: bool
    ) -> Iterator[None]:
        """Tell the summary of what was done in the block, however it ends; `count` adds to it.

        Not if the source can't be read from its beginning: there is nothing to sum up.
        """
        begun, unreadable = time.monotonic(), False
        try:
            yield
        except SourceError:
            unreadable = not self.stats.ended
            raise
        finally:
            if not unreadable:
                count(self.stats)
                self._sum_up(what, time.monotonic() - begun, simulated=simulated)

    def _sum_up(self, what: Subject, seconds: float, *, simulated: bool) -> None:
        stats, asked = self.stats, self.request
        stats.skipped = self.source.skipped
        done = stats.summary(seconds=seconds)
        if stats.first_failures and (asked.quiet or asked.output is not None):
            failed = failures(stats.first_failures, done.failed, asked.output)
            failed = wrapped(failed, width_of(sys.stderr), indent=4)
            LOG.warning("\n".join(failed), extra={"event": "failures"})
        machine = environment.facts()
        about = {"subject": asdict(what), "machine": machine}
        told = {"event": "summary", "summary": asdict(done), **about}
        lines = summary(done, what, simulated=simulated)
        LOG.info("\n".join(wrapped(lines, width_of(sys.stderr), indent=INDENT)), extra=told)
        for look in self.looks.pages:
            look.sum_up(done, what, machine, self.source.total)

    def end(self, submitted: int) -> int:
        """Tell what remains to be told once it has ended; return its exit code."""
        asked, source, stats, received = (
            *(self.request, self.source, self.stats),
            self.signals.received,
        )
        if received:
            again = how_to_go_on(asked, listed=bool(source.fds))
            tell_stop(received[0], source.skipped + stats.ended, source.total, again)
            return EXIT_SIGNAL_BASE + received[0]
        if self.earlier.digests and stats.ended and not source.skipped:
            LOG.warning(
                f"{asked.output}: none of its {len(self.earlier.digests)} earlier results was of "
                "these images; for --resume, an absolute and a relative path are two images"
            )
        if stats.ended != submitted:  # a bug, and the one thing that must not pass unseen
            LOG.error(f"{submitted} images were submitted, {stats.ended} have a result")
            return EXIT_SOME_FAILED
        return EXIT_SOME_FAILED if stats.failures or self.looks.lacking else EXIT_OK
