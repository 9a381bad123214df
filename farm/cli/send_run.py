"""`npu-farm send`: the boards of a hub, sources, writers, summary; return the exit code."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from nats.aio.client import Client

from farm.cli.character_note import with_note
from farm.cli.judge import truth_of
from farm.cli.looks import open_looks
from farm.cli.request import Request
from farm.cli.work import Work
from farm.cluster import names, roster
from farm.cluster.access import Access
from farm.cluster.crew import Crew
from farm.cluster.hub_thread import HubThread
from farm.cluster.link import GONE, LONGEST_WAIT, said
from farm.cluster.mail import Route
from farm.cluster.offer import Choice, Wish, choose, labels_digest
from farm.cluster.packing import Packing
from farm.cluster.presence import EVERY_SECONDS, Presence
from farm.cluster.recovery import recover
from farm.cluster.roster import Roster
from farm.cluster.sender import DRAIN_SECONDS, Sender
from farm.cluster.streams import ensure
from farm.config.labels import Labels
from farm.config.schema import FarmConfig
from farm.errors import ConfigError, HubError, InterruptedWriteError, NoBoardError
from farm.hardware.environment import command_line
from farm.report.subject import Subject
from farm.results.answer_format import AnswerFormat, format_of
from farm.results.resume import Remaining
from farm.results.resume_index import ResumeIndex
from farm.results.stats import Stats
from farm.results.writers import JSONL, open_writer
from farm.sources import files as sources
from farm.sources.base import Source
from farm.sources.sample_images import sample_targets
from farm.system.fd_writer import WriteDeadline
from farm.system.log import LOG, tell_written
from farm.system.signals import Signals
from workers.protocol.spec import CLASSIFY, DETECT

BACK_SECONDS: Final = LONGEST_WAIT + EVERY_SECONDS  # until a board is back, and has said so
LOOK_SECONDS: Final = 0.5  # between two looks for a board
MAX_PIXELS: Final = FarmConfig.model_fields["max_pixels"].default


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which model, task and labels a run wants, None is whatever there is; how it is judged, how
    its images travel.
    """

    model: str | None
    task: str | None
    labels: Path | None
    truth: str | None
    packing: Packing

    def wish(self) -> Wish:
        """Return it as boards are compared with it; raises ConfigError for a bad labels file."""
        digest = None if self.labels is None else labels_digest(Labels.load(self.labels).names)
        by_path = self.packing.folder is not None
        return Wish(model=self.model, task=self.task, labels=digest, by_path=by_path)

    def check(self, task: str) -> None:
        """Raise ConfigError if images can't travel like that for this task."""
        if self.packing.longest is not None and task not in (CLASSIFY, DETECT):
            raise ConfigError(
                f"--shrink: the boards' task is {task}: what in its answers is a place in the "
                "image, only you know; send the images as they are"
            )


def send(access: Access, wanted: Wanted, request: Request) -> int:
    """Have boards work on what `request` names; return 0, 1 (some failed), or 128 plus a signal.

    Raises HubError if the hub can't be used, NoBoardError if no board serves what is wanted.
    """
    request.check()
    wish = wanted.wish()
    images = opened(request) if request.targets else None
    with HubThread(access, "npu-farm send") as hub:
        present = hub.call(look(hub.link, access))
        choice = choose(wish, [each.offer for each in present])
        wanted.check(choice.offer.task)
        targets = request.targets or sample_targets(choice.offer.task)
        asked = replace(request, targets=targets)
        run = Run(
            hub=hub, crew=Crew(choice.queue, present), choice=choice, wanted=wanted,
            request=asked, images=images or opened(asked), address=str(access),
        )  # fmt: skip
        return run.perform()


def opened(request: Request) -> Source:
    """Return the images that a request names; raises SourceError."""
    return sources.open_targets(request.targets, times=request.repeat, recursive=request.recursive)


async def look(link: Client, access: Access) -> list[Presence]:
    """Return the boards at a hub, which has its streams from now on; raises HubError.

    Where none is there, look for some seconds more: a hub that has just started again is known to
    its boards a little later. Where all of them speak in a way that can't be understood, that is a
    NoBoardError with why.
    """
    try:
        await ensure(link.jetstream())
        found, begun = await roster.read(link.jetstream()), time.monotonic()
        if found == Roster():
            told = f"no board is here yet; looking for {BACK_SECONDS:.0f} s more"
            LOG.warning(told, extra={"event": "no_board_yet"})
        while found == Roster() and time.monotonic() < begun + BACK_SECONDS:
            await asyncio.sleep(LOOK_SECONDS)
            found = await roster.read(link.jetstream())
    except GONE as error:
        raise HubError(f"{access}: the hub does not tell who is there: {said(error)}") from error
    if found.refused and not found.seen:
        reasons = "; ".join(found.refused)
        raise NoBoardError(
            f"{access}: boards are there, but none that this program can use: {reasons}"
        )
    return [each.board for each in found.seen]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What is asked of a hub, and by whom there it is to be done."""

    hub: HubThread
    crew: Crew
    choice: Choice
    wanted: Wanted
    request: Request
    images: Source
    address: str

    def perform(self) -> int:
        """Send images, write results, tell the summary; return the exit code."""
        asked, answers = self.request, format_of(self.choice.offer.task)
        earlier = asked.earlier(answers)
        targets, recursive = asked.targets, asked.recursive
        said, labels = self.wanted.truth, self.wanted.labels
        truth = truth_of(said, labels, targets, recursive=recursive)
        with (
            Signals() as signals,
            open_looks(
                asked, truth, signals, seconds=DRAIN_SECONDS, max_pixels=MAX_PIXELS
            ) as looks,
        ):
            deadline = WriteDeadline(signals, DRAIN_SECONDS)
            earlier, before = self._recovered(earlier, answers, deadline), earlier.run
            source = Remaining(self.images, earlier, lambda: bool(signals.received))
            work = Work(
                request=asked, earlier=earlier, source=source, stats=Stats(truth=truth),
                looks=looks, signals=signals,
            )  # fmt: skip
            return self._send(work, answers, deadline, before)

    def _send(
        self, work: Work, answers: AnswerFormat, deadline: WriteDeadline, before: str | None
    ) -> int:
        asked, run, submitted = self.request, names.new_token(), 0
        kept = None if asked.overwrite else work.earlier
        output = open_writer(asked.output, asked.quiet, answers, deadline, kept, run=run)
        route = Route(
            queue=self.choice.queue, run=run, before=before, task=self.choice.offer.task,
            packing=self.wanted.packing,
        )  # fmt: skip
        results = Sender(
            self.hub,
            route,
            self.crew,
            work.source,
            work.signals,
            ordered=asked.ordered,
            first_id=work.earlier.next_id,
            keep=asked.output is not None and asked.output.suffix == JSONL,
        )

        def count(stats: Stats) -> None:
            stats.dropped = results.strays

        offer = self.choice.offer
        summing_up = work.summing_up(self._subject(), count, simulated=offer.simulated)
        try:
            with results, output as writer, summing_up:
                noted = with_note(work.looks.beside(results), Path(f"{offer.name}.onnx"))
                work.write(noted, (writer, *work.looks.pages, results))
                submitted = results.submitted
            if asked.output is not None:
                tell_written(asked.output)
        except InterruptedWriteError as error:
            LOG.info(str(error))
        return work.end(submitted)

    def _recovered(
        self, earlier: ResumeIndex, answers: AnswerFormat, deadline: WriteDeadline
    ) -> ResumeIndex:
        """Write what the hub has of the earlier run; return what is done by now."""
        if earlier.run is None:
            return earlier
        output, task = self.request.output, self.choice.offer.task
        with open_writer(output, True, answers, deadline, earlier, run=earlier.run) as writer:
            fetched = self.hub.call(recover(self.hub.link, earlier, writer, task))
        if fetched:
            LOG.info(f"{output}: {fetched} results that the hub had of the earlier run are added")
        return self.request.earlier(answers)

    def _subject(self) -> Subject:
        offer = self.choice.offer
        read_as = f", outputs read as {offer.reading}" if offer.reading else ""
        return Subject(
            model=offer.name,
            model_sha256=offer.model,
            model_bytes=0,
            images=self.request.targets,
            config_name=f"of the boards at {self.address}",
            config={},
            command=re.sub(r"//[^@/\s]*@", "//", command_line()),
            task="" if offer.task == CLASSIFY else offer.task + read_as,
        )
