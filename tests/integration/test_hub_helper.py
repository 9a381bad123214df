"""The hub of the tests: it stays what it is when it is killed and started again."""

from __future__ import annotations

import asyncio
from pathlib import Path

from farm.cluster import names, streams
from farm.cluster.link import Access, connect
from tests.helpers.hub import Hub, hub


def test_a_killed_hub_has_what_it_had(tmp_path: Path) -> None:
    with hub(tmp_path, ack_seconds=1.5, jobs_bytes=1 << 20) as running:
        asyncio.run(publish(running))
        running.kill()
        running.start()
        assert asyncio.run(read(running)) == (1, 1.5, 1 << 20)


async def publish(running: Hub) -> None:
    link = await connect(Access(address=running.address), "test", lambda _: None)
    await link.jetstream().publish(names.job_subject("queue", "run"), b"data")
    await link.close()


async def read(running: Hub) -> tuple[int, float, int | None]:
    link = await connect(Access(address=running.address), "test", lambda _: None)
    js = link.jetstream()
    info = await js.stream_info(names.JOBS)
    seconds = await streams.ack_seconds(js)
    await link.close()
    return info.state.messages, seconds, info.config.max_bytes
