"""A board of a hub that computes nothing: it answers as a test wants, when it wants."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext

from farm.cluster import names, presence, streams
from farm.cluster.access import Access
from farm.cluster.link import connect
from farm.cluster.messages import Answered, Answers, Data, Job, Parcel, decode, encode
from farm.cluster.offer import Offer
from farm.results.result import Result
from tests.helpers.results import TENCH, classified
from tests.helpers.support import PATIENCE
from tests.unit.farm.cluster.test_offer import OFFER
from tests.unit.farm.cluster.test_presence import WHO


def tench(parcel: Parcel) -> Result:
    """Each image is a tench."""
    return classified(TENCH, id=parcel.id, path=None)


@dataclass
class FakeBoard:
    """Answers jobs with `answer` while `working` is set, `most` of them at most.

    `jobs` are those that came. What it holds while it does not work, it answers later, and
    acknowledges then. It `idles` once it has
    answered as many as it may.
    """

    address: str
    name: str = "fake"
    offer: Offer = OFFER
    answer: Callable[[Parcel], Result] = tench
    working: threading.Event = field(default_factory=threading.Event)
    jobs: list[Job] = field(default_factory=list)
    answered: list[Job] = field(default_factory=list)
    most: int = 10**9

    @property
    def idles(self) -> bool:
        return len(self.answered) >= self.most

    async def work(self, up: threading.Event, stop: threading.Event) -> None:
        """Join the hub, work until `stop`, leave."""
        link = await connect(Access(address=self.address), "test", lambda _: None)
        js = link.jetstream()
        await streams.ensure(js)
        bucket = await streams.boards_bucket(js)
        who = replace(WHO, id=f"{self.name}-1", board=self.name, offer=self.offer)
        pulls = [asyncio.create_task(self._pull(js, queue)) for queue in self.offer.queues()]
        while not stop.is_set():
            with suppress(NatsError, asyncio.TimeoutError):
                await bucket.put(who.id, presence.encode(who))
                up.set()
            await asyncio.get_running_loop().run_in_executor(None, stop.wait, 1.0)
        for pull in pulls:
            pull.cancel()
        with suppress(NatsError, asyncio.TimeoutError):
            await asyncio.wait_for(bucket.delete(who.id), 1)
        await link.close()

    async def _pull(self, js: JetStreamContext, queue: str) -> None:
        puller = await js.pull_subscribe_bind(names.queue_consumer(queue), stream=names.JOBS)
        while True:
            with suppress(NatsError, asyncio.TimeoutError):
                await streams.make_queue(js, queue)
                for message in await puller.fetch(1, 0.5):
                    await self._do(js, message)

    async def _do(self, js: JetStreamContext, message: Msg) -> None:
        job = decode(message.data)
        assert isinstance(job, Job)
        self.jobs.append(job)
        while not self.working.is_set() or self.idles:
            await asyncio.sleep(0.02)
        found = tuple(Answered(each.path, self._named(each), None) for each in job.parcels)
        answers = encode(Answers(job.run, found))
        while True:
            with suppress(NatsError, asyncio.TimeoutError):
                await js.publish(names.result_subject(job.run), answers, timeout=1)
                break
        self.answered.append(job)
        await message.ack()

    def _named(self, parcel: Parcel) -> Result:
        from dataclasses import replace as changed

        return changed(self.answer(parcel), board=self.name)


@contextmanager
def fake_board(address: str, *, idle: bool = False, **how: Any) -> Iterator[FakeBoard]:
    """A board that works; `idle`: that only takes jobs until it is told to work."""
    board, up, stop = FakeBoard(address, **how), threading.Event(), threading.Event()
    if not idle:
        board.working.set()
    thread = threading.Thread(target=lambda: asyncio.run(board.work(up, stop)))
    thread.start()
    try:
        assert up.wait(PATIENCE)
        yield board
    finally:
        stop.set()
        thread.join(PATIENCE)


def content(parcel: Parcel) -> bytes:
    """The bytes that came in a parcel."""
    assert isinstance(parcel.source, Data)
    return parcel.source.data
