"""A sender's traffic with the hub: jobs out, results in, who is there; in an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import MaxPayloadError
from nats.js.api import Header
from nats.js.errors import APIError

from farm.cluster import names, roster
from farm.cluster.events import (
    Counted,
    Ended,
    Event,
    Key,
    Present,
    Received,
    Stored,
    Unsendable,
    Withdrawn,
)
from farm.cluster.incoming import answers_in, forget_results
from farm.cluster.jobs import carried, split
from farm.cluster.link import GONE, back_off, said
from farm.cluster.messages import Job, Parcel, encode
from farm.cluster.messages import Stored as StoredImage
from farm.cluster.objects import Objects
from farm.cluster.packing import Packer, Packing
from farm.cluster.pulling import Pulling
from farm.cluster.streams import ensure, make_run
from farm.errors import HubError
from farm.sources.base import Ref
from farm.system.log import LOG
from workers.protocol.messages import ItemError

ROOM: Final = 64 << 10  # bytes of a message that are not an image's
AT_ONCE: Final = 4  # jobs that are read and published beside each other
PUBLISH_SECONDS: Final = 10.0
PULLED: Final = 64  # messages of results that are asked for at once
LOOK_SECONDS: Final = 4.0  # between two looks at who is there
FULL: Final = 10077  # JetStream's code: no space in the stream
END_SECONDS: Final = 3.0
LONGEST_WAIT: Final = 1.0  # seconds between two attempts to publish into a full stream


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The queue that a run's jobs go to, the run, its task, and how its images travel.

    `before` is the one that it goes on with, of which boards may still have jobs; or None.
    """

    queue: str
    run: str
    before: str | None
    task: str
    packing: Packing


class Mail:
    """What a run sends and receives over `link`; `tell` is told what happens."""

    def __init__(self, link: Client, route: Route, tell: Callable[[Event], None]) -> None:
        self._link, self._route, self._tell = link, route, tell
        self._js = link.jetstream()
        self._most_bytes = link.max_payload // 2
        room = link.max_payload - ROOM
        self._packer = Packer(route.packing, Objects(self._js), run=route.run, room=room)
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._posting: set[asyncio.Task[None]] = set()
        self._messages: dict[Key, Msg] = {}  # those that are not acknowledged
        self._pulling = Pulling(link, names.RESULTS, names.run_consumer(route.run), self._take)
        self._published = 0
        self._said: set[str] = set()  # events

    def begin(self) -> None:
        """Pull results, and look who is there, until `end`."""
        self._run(self._pull(), self._tasks)
        self._run(self._look(), self._tasks)

    def post(self, images: Sequence[tuple[int, Ref]]) -> None:
        """Send images, each with its id."""
        self._run(self._post(images), self._posting)

    def acknowledge(self, messages: Iterable[Key]) -> None:
        """Let the hub forget these messages of results."""
        for key in messages:
            if (message := self._messages.pop(key, None)) is not None:
                self._run(message.ack(), self._tasks)

    def withdraw(self) -> None:
        """Take back what no board has."""
        for task in self._posting:
            task.cancel()
        self._run(self._withdraw(), self._tasks)

    async def end(self, *, forget: bool) -> None:
        """End all traffic, tell nothing more, withdraw what waits; `forget` the results, too."""
        self._tell = lambda _: None
        for task in (*self._posting, *self._tasks):
            task.cancel()
        runs = [self._route.run] if forget else []
        runs += [self._route.before] if self._route.before is not None else []
        with suppress(*GONE):  # it forgets by itself, later
            await asyncio.wait_for(self._leave(runs), END_SECONDS)

    async def _leave(self, forgotten: Iterable[str]) -> None:
        await self._pulling.leave()
        await self._link.flush()  # the last acknowledgements
        await self._js.purge_stream(names.JOBS, subject=names.jobs_of_run(self._route.run))
        await self._packer.take_away_all()
        for run in forgotten:
            await forget_results(self._js, run)

    def _run(self, work: Coroutine[Any, Any, None], tasks: set[asyncio.Task[None]]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            told = error if isinstance(error, HubError) else HubError(f"{error!r}")
            told.__cause__ = error
            self._tell(Ended(told))

    async def _post(self, images: Sequence[tuple[int, Ref]]) -> None:
        async with self._turns:
            packed = await asyncio.gather(*(self._pack(*each) for each in images))
            for job in split(filter(None, packed), self._most_bytes):
                await self._publish(job)

    async def _pack(self, number: int, ref: Ref) -> Parcel | None:
        """Return what is to be put into a job with others."""
        found = await self._packer.pack(number, ref)
        if isinstance(found, ItemError):
            self._tell(Unsendable(number, found))
        elif isinstance(found.source, StoredImage):
            # At once: others may wait for the room that it takes until its result is there.
            await self._publish((found,))
        else:
            return found
        return None

    async def _publish(self, parcels: tuple[Parcel, ...]) -> None:
        """Publish a job until the hub has stored it."""
        route = self._route
        self._published += 1
        job = encode(Job(route.run, parcels))
        headers = {Header.MSG_ID.value: f"{route.run}-{self._published}"}
        subject, attempts = names.job_subject(route.queue, route.run), 0
        while True:
            try:
                stored = await self._js.publish(
                    subject, job, timeout=PUBLISH_SECONDS, headers=headers
                )
                break
            except MaxPayloadError as error:
                raise HubError(f"a job of {len(job)} bytes is too large for the hub") from error
            except GONE as error:
                await self._complain(error)
            attempts += 1
            await asyncio.sleep(min(back_off(attempts), LONGEST_WAIT))
        self._tell(Stored(stored.seq, {each.id: carried(each) for each in parcels}))

    async def _complain(self, error: BaseException) -> None:
        """Say once why the hub does not take a job."""
        if isinstance(error, APIError) and error.err_code == FULL:
            told = "the hub is full: waiting until boards have done some of what waits there"
        else:
            told = f"the hub has not confirmed a job: {said(error)}; it is sent again until it does"
        if self._link.is_connected:
            self._say_once("hub_waits", told)

    def _say_once(self, event: str, told: str) -> None:
        if event not in self._said:
            self._said.add(event)
            LOG.warning(told, extra={"event": event})

    async def _pull(self) -> None:
        run, there, attempts = self._route.run, False, 0
        while not self._pulling.leaving:
            try:
                if not there:  # at first, or since the hub has lost its store
                    await ensure(self._js)
                    await make_run(self._js, run)
                    there = True
                await self._pulling.ask(PULLED)
                attempts = 0
            except (*GONE, HubError) as error:
                if isinstance(error, HubError):
                    # It counts anew: to acknowledge what it had would strike others.
                    self._messages.clear()
                there, attempts = False, attempts + 1
                await asyncio.sleep(back_off(attempts))

    def _take(self, message: Msg) -> None:
        # A hub that has lost its disk counts from 1 again.
        key = (message.metadata.sequence.stream, message.metadata.timestamp.timestamp())
        self._messages[key] = message
        try:
            answers = answers_in(message, self._route.run, self._route.task)
        except HubError as error:
            self._say_once("dropped", f"a message among the results is dropped: {error}")
            self.acknowledge([key])
        else:
            self._tell(Received(key, answers))
            for stored in self._packer.done(each.result.id for each in answers.answered):
                self._run(self._take_away(stored), self._tasks)

    async def _take_away(self, stored: StoredImage) -> None:
        with suppress(*GONE):  # what is left is taken away at the end
            await self._packer.take_away(stored)

    async def _look(self) -> None:
        while True:
            with suppress(*GONE):  # the link says that it is lost
                self._tell(Present(await roster.boards(self._js)))
                self._tell(await self._count())
            await asyncio.sleep(LOOK_SECONDS)

    async def _count(self) -> Counted:
        subject = names.jobs_of_run(self._route.run)
        jobs = (await self._js.stream_info(names.JOBS, subject)).state.subjects or {}
        consumer = names.run_consumer(self._route.run)
        results = await self._js.consumer_info(names.RESULTS, consumer)
        # What went into a connection that broke is neither waiting nor here: it comes again.
        on_the_way = max(0, (results.num_ack_pending or 0) - len(self._messages))
        return Counted(sum(jobs.values()), (results.num_pending or 0) + on_the_way)

    async def _withdraw(self) -> None:
        consumer = names.queue_consumer(self._route.queue)
        try:
            begun = (await self._js.consumer_info(names.JOBS, consumer)).delivered
            await self._js.purge_stream(names.JOBS, subject=names.jobs_of_run(self._route.run))
        except GONE:
            return  # so all that is outstanding may be with boards
        self._tell(Withdrawn(0 if begun is None else begun.stream_seq))
