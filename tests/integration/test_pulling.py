"""Pulling from a real hub: what is asked for comes, what comes too late is given back."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from farm.cluster import names, streams
from farm.cluster.link import Access, connect
from farm.cluster.pulling import Pulling
from farm.errors import HubError
from tests.helpers.hub import hub
from tests.helpers.support import PATIENCE

QUEUE, RUN = "a" * 24, "b" * 20
ROUNDS, JOBS = 20, 8


async def pulling(client: Client, took: list[Msg]) -> Pulling:
    await streams.make_queue(client.jetstream(), QUEUE)
    return Pulling(client, names.JOBS, names.queue_consumer(QUEUE), took.append)


def test_no_job_is_stuck_with_a_board_that_leaves(tmp_path: Path) -> None:
    """Jobs come while it leaves: with the client's own way to pull, some wait for the time-out."""

    async def rounds(address: str) -> None:
        client = await connect(Access(address=address), "test", lambda _: None)
        js = client.jetstream()
        for _ in range(ROUNDS):
            took: list[Msg] = []
            leaving = await pulling(client, took)
            asking = asyncio.ensure_future(leaving.ask(JOBS))
            subject = names.job_subject(QUEUE, RUN)
            putting = [asyncio.ensure_future(js.publish(subject, b"x")) for _ in range(JOBS)]
            await putting[0]
            await leaving.leave()
            asking.cancel()
            await asyncio.gather(*putting)
            for msg in took:  # as a board does that ends at once
                await msg.nak()
            rest: list[Msg] = []
            other = await pulling(client, rest)
            while len(rest) < JOBS:
                await other.ask(JOBS - len(rest))
            for msg in rest:
                await msg.ack_sync()
            await other.leave()
        await client.close()

    with hub(tmp_path / "hub", ack_seconds=600) as running:
        asyncio.run(asyncio.wait_for(rounds(running.address), PATIENCE))


def test_a_queue_that_is_gone_is_an_error_and_not_a_wait(tmp_path: Path) -> None:
    async def ask(address: str) -> None:
        client = await connect(Access(address=address), "test", lambda _: None)
        there = await pulling(client, [])
        await there.ask(1)  # nothing comes, and that is no error
        await client.jetstream().delete_consumer(names.JOBS, names.queue_consumer(QUEUE))
        try:
            with pytest.raises(HubError, match="503"):
                await there.ask(1)
        finally:
            await client.close()

    with hub(tmp_path / "hub") as running:
        asyncio.run(asyncio.wait_for(ask(running.address), PATIENCE))
