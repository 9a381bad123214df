"""What the hub has of a run whose sender was killed: results that it did not get, jobs."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import Final

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.errors import NotFoundError

from farm.cluster import names
from farm.cluster.incoming import answers_in
from farm.cluster.link import GONE, said
from farm.cluster.messages import Answered
from farm.cluster.objects import Objects
from farm.cluster.sender import result_of
from farm.cluster.soundness import is_gone
from farm.cluster.streams import run_puller
from farm.errors import HubError
from farm.results.resume_index import ResumeIndex
from farm.results.writers import Writer
from farm.system.log import LOG

PULL_SECONDS: Final = 5.0


async def recover(link: Client, earlier: ResumeIndex, writer: Writer, task: str) -> int:
    """Take back the jobs of the run of `earlier`, write the results that it lacks; return how many.

    Raises HubError if the hub can't be asked, and what the writer raises.
    """
    assert earlier.run is not None  # noqa: S101
    js, run, written = link.jetstream(), earlier.run, set[int]()
    try:
        await js.purge_stream(names.JOBS, subject=names.jobs_of_run(run))
        with suppress(NotFoundError):  # what that sender had not acknowledged comes again at once
            await js.delete_consumer(names.RESULTS, names.run_consumer(run))
        puller = await run_puller(js, run)
        waiting = (await puller.consumer_info()).num_pending
        while waiting:
            for message in await puller.fetch(1, PULL_SECONDS):
                for answered in found_in(message, run, task):
                    number, path = answered.result.id, answered.path
                    if not earlier.has(number) and number not in written:
                        named = None if path is None else os.fsdecode(path)
                        writer.write(result_of(answered, named), time.monotonic())
                        written.add(number)
                await message.ack_sync()
                waiting = message.metadata.num_pending
        await Objects(js).delete_run(run)
    except GONE as error:
        raise HubError(
            f"what the hub has of the earlier run can't be had: {said(error)}"
        ) from error
    return len(written)


def found_in(message: Msg, run: str, task: str) -> list[Answered]:
    """Return a run's answers in a message; not those of images that the sender's end took away."""
    try:
        answers = answers_in(message, run, task)
    except HubError as error:
        LOG.debug(f"a message among the results is dropped: {error}")
        return []
    return [each for each in answers.answered if not is_gone(each.result)]
