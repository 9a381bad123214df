"""The ends of a hub, for tests: a sender in this process, boards as real processes."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from nats.js import JetStreamContext

from farm.cluster import names, streams
from farm.cluster.messages import Answered, Answers, Job, Parcel, decode, encode
from farm.cluster.offer import Wish, choose
from farm.cluster.roster import boards
from tests.helpers.programs import NPU_FARM
from tests.helpers.support import PATIENCE, ROOT

GLYPHS = (str(ROOT / "configs" / "host.yaml"), "-s", "1")


@dataclass
class Peer:
    """A sender of tests: whatever it publishes goes to the queue of the only offer."""

    js: JetStreamContext
    run: str = field(default_factory=names.new_token)
    queue: str = ""

    async def find(self) -> None:
        """Wait for a board."""
        while not (found := await boards(self.js)):
            await asyncio.sleep(0.05)
        self.queue = choose(Wish(), [each.offer for each in found]).queue

    async def put(self, parcels: Sequence[Parcel]) -> None:
        """Publish a job."""
        await self.put_raw(encode(Job(self.run, tuple(parcels))))

    async def put_raw(self, data: bytes) -> None:
        """Publish what may be no job."""
        await self.js.publish(names.job_subject(self.queue, self.run), data)

    async def puller(self) -> JetStreamContext.PullSubscription:
        """What pulls from the queue as a board does."""
        await streams.make_queue(self.js, self.queue)
        consumer = names.queue_consumer(self.queue)
        return await self.js.pull_subscribe_bind(consumer=consumer, stream=names.JOBS)

    async def answers(self, count: int) -> list[Answered]:
        """Return so many answers, and ask for no more."""
        puller = await streams.run_puller(self.js, self.run)
        found: list[Answered] = []
        while len(found) < count:
            with suppress(asyncio.TimeoutError):
                for msg in await puller.fetch(16, timeout=1):
                    message = decode(msg.data)
                    assert isinstance(message, Answers)
                    assert message.run == self.run
                    found += message.answered
                    await msg.ack()
        return found


@contextmanager
def board(address: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A board as a real process, ended with the block."""
    command = [NPU_FARM, "join", address, *(words or GLYPHS), "--log-format", "json"]
    process = subprocess.Popen(command, cwd=ROOT, text=True, stderr=subprocess.PIPE)
    try:
        yield process
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)
    finally:
        process.kill()
        process.communicate()
