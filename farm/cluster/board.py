"""A board at a hub: it pulls jobs as its farm has room, answers them, and keeps them alive."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from typing import Any, Final

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from farm.api import Farm
from farm.cluster import names, streams
from farm.cluster.answering import answered, messages, refused
from farm.cluster.holding import Holding
from farm.cluster.link import back_off
from farm.cluster.messages import Answered, Job, decode
from farm.cluster.objects import NO_ROOM
from farm.cluster.pulling import Pulling
from farm.cluster.unpacking import Unpacked, Unpacker
from farm.errors import FarmError, HubError
from farm.results.result import Result
from farm.system.log import LOG
from workers.protocol.messages import ItemError

MOST_DELIVERIES: Final = 5
LOST: Final = ItemError(
    "lost_boards",
    f"{MOST_DELIVERIES} boards have had it, one after the other, and none has answered: "
    "each was lost, or cut off",
)
RETURN_SECONDS: Final = 2.0
SIGNS_OF_LIFE: Final = 4  # in the time after which the hub gives a job to another board


class Board:
    """Works on the jobs of `queues` with a farm that its own thread drives, under the name `name`.

    `failed` is told what must not happen.
    """

    def __init__(
        self,
        farm: Farm,
        client: Client,
        unpacker: Unpacker,
        *,
        name: str,
        failed: Callable[[FarmError], None],
    ) -> None:
        self._farm, self._client, self._unpacker, self._failed = farm, client, unpacker, failed
        self._js = client.jetstream()
        self._name = name
        config, size = farm.config, len(farm.plan.workers)
        self.holding = Holding(size * config.batch * config.window)
        self._tasks: set[asyncio.Task[None]] = set()
        self._pulling: dict[Pulling, asyncio.Task[None]] = {}
        self._leaving: asyncio.Future[list[None]] | None = None
        self._unknown = 0
        self._has_no_room = False

    def start(self, queues: Iterable[str], ack_seconds: float) -> None:
        """Begin to pull jobs of queues; a job lives on for `ack_seconds` after a sign of life."""
        self._spawn(self._keep_alive(ack_seconds))
        for queue in queues:
            consumer = names.queue_consumer(queue)
            pulling = Pulling(self._client, names.JOBS, consumer, self._take)
            self._pulling[pulling] = self._spawn(self._pull(queue, pulling))

    async def drain(self, seconds: float) -> None:
        """Pull nothing more, and wait until all that is held is answered, for so long at most."""
        await self._stop_pulling()
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self.holding.empty(), seconds)

    async def give_back(self) -> None:
        """Let other boards have what is held, at once."""
        await self._stop_pulling()  # else the hub would give it to this board again
        held = list(self.holding.jobs.values())
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*map(self._return, held))

    async def _return(self, msg: Msg) -> None:
        """Put a job back as a new one: that it was here must not count as the loss of a board."""
        with suppress(NatsError, OSError, asyncio.TimeoutError):
            try:
                await self._js.publish(msg.subject, msg.data, timeout=RETURN_SECONDS)
                await msg.ack()
            except (NatsError, asyncio.TimeoutError):  # the hub is full, or away
                await msg.nak()

    async def _stop_pulling(self) -> None:
        if self._leaving is None:
            for task in self._pulling.values():
                task.cancel()
            leaves = [pulling.leave() for pulling in self._pulling]
            self._leaving = asyncio.gather(*leaves)  # a hub that is away: 2 s
        # A second signal ends a drain, but not this: what is on its way must be given back.
        await asyncio.shield(self._leaving)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        if not isinstance(error, FarmError):
            LOG.error("a board's task has failed", exc_info=error)
            error = FarmError(f"this board has failed: {error!r}")
        self._failed(error)

    def _take(self, msg: Msg) -> None:
        self._spawn(self._work(msg))

    async def _pull(self, queue: str, pulling: Pulling) -> None:
        attempts = 0
        while not pulling.leaving:
            wanted = await self.holding.room()
            try:
                await pulling.ask(wanted)
                attempts = 0
            except (NatsError, HubError) as error:
                LOG.debug(f"queue {queue}: {error}", extra={"event": "pull_failed"})
                attempts += 1
                await asyncio.sleep(back_off(attempts))
                with suppress(NatsError, HubError, asyncio.TimeoutError):
                    await streams.ensure(self._js)  # a hub that has lost its store
                    await streams.make_queue(self._js, queue)

    async def _work(self, msg: Msg) -> None:
        """Answer one job, then acknowledge it."""
        try:
            job = decode(msg.data)
            if not isinstance(job, Job) or msg.subject.rsplit(".", 1)[1] != job.run:
                raise HubError("no job of the run whose subject it has")
        except HubError as error:
            if not self._unknown:
                LOG.warning(f"a job was thrown away: {error}", extra={"event": "unknown_job"})
            self._unknown += 1
            with suppress(NatsError):
                await msg.term()
            return
        with self.holding.held(msg, len(job.parcels)):
            try:
                all_answered = await self._compute(job, msg.metadata.num_delivered or 1)
            except FarmError as error:  # the farm has ended: the job is held until it is given back
                self._failed(error)
                await asyncio.Event().wait()
            for message in messages(job, all_answered, self._client.max_payload):
                await self._store(job, message)
            with suppress(NatsError):
                await msg.ack()

    async def _compute(self, job: Job, deliveries: int) -> list[Answered]:
        """Return what became of each image of a job, which has been delivered so many times."""
        if deliveries > MOST_DELIVERIES:
            return [refused(each, LOST, self._name, deliveries - 1) for each in job.parcels]
        async with self._unpacker.unpacked(job.parcels) as items:
            results = await self._infer(items)
        earlier = deliveries - 1
        return [
            refused(parcel, result, self._name, earlier)
            if isinstance(result, ItemError)
            else answered(parcel, result, self._name, earlier)
            for parcel, result in zip(job.parcels, results, strict=True)
        ]

    async def _infer(self, items: Sequence[Unpacked]) -> list[Result | ItemError]:
        """Return the result of each image, or why there is no image."""
        futures = {
            index: self._farm.submit_soon(item)
            for index, item in enumerate(items)
            if not isinstance(item, ItemError)
        }
        try:
            await asyncio.gather(*futures.values())
        finally:
            for future in futures.values():
                future.cancel()
        return [
            item if isinstance(item, ItemError) else futures[index].result()
            for index, item in enumerate(items)
        ]

    async def _store(self, job: Job, message: bytes) -> None:
        """Publish an answer, again until the hub has stored it."""
        attempts = 0
        while True:
            try:
                await self._js.publish(names.result_subject(job.run), message)
                return
            except (NatsError, asyncio.TimeoutError) as error:
                if getattr(error, "err_code", 0) in NO_ROOM and not self._has_no_room:
                    self._has_no_room = True
                    LOG.warning(
                        "the hub has no room for answers: this board waits until their senders, "
                        "or `send --resume`, have fetched some",
                        extra={"event": "results_full"},
                    )
                LOG.debug(f"an answer is not stored: {error}", extra={"event": "not_stored"})
                attempts += 1
                await asyncio.sleep(back_off(attempts))

    async def _keep_alive(self, ack_seconds: float) -> None:
        """Tell the hub, often enough, that what is held is being worked on."""
        while True:
            await asyncio.sleep(ack_seconds / SIGNS_OF_LIFE)
            for msg in list(self.holding.jobs.values()):
                with suppress(NatsError):
                    await msg.in_progress()
            with suppress(NatsError, asyncio.TimeoutError):  # a hub may have been told another one
                ack_seconds = await streams.ack_seconds(self._js)
