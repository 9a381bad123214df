"""A sender's traffic with a real hub, at its end."""

from __future__ import annotations

import asyncio
from pathlib import Path

from farm.cluster import names
from farm.cluster.events import Event, Received
from farm.cluster.link import Access, connect
from farm.cluster.mail import Mail, Route
from farm.cluster.messages import Answered, Answers, encode
from farm.cluster.packing import Packing
from tests.helpers.hub import hub
from tests.helpers.results import HEN, classified
from tests.helpers.support import PATIENCE

RUN = "ab" * 10
ANSWERS = encode(Answers(RUN, (Answered(None, classified(HEN, id=1, path=None), None),)))


def test_nothing_is_told_after_the_end(tmp_path: Path) -> None:
    """Who was told has closed the descriptor that it was woken by: another file may have it."""

    async def end(address: str) -> list[Event]:
        link = await connect(Access(address=address), "test", lambda _: None)
        told: list[Event] = []
        packing = Packing(most_bytes=1 << 20)
        route = Route(queue="q" * 24, run=RUN, before=None, task="classify", packing=packing)
        mail = Mail(link, route, told.append)
        mail.begin()
        await link.jetstream().publish(names.result_subject(RUN), ANSWERS)
        while not any(isinstance(each, Received) for each in told):
            await asyncio.sleep(0.01)
        await mail.end(forget=False)
        told.clear()
        for _ in range(3):
            await link.jetstream().publish(names.result_subject(RUN), ANSWERS)
        await link.flush()
        await asyncio.sleep(0.2)  # what would be delivered is by now
        await link.close()
        return told

    with hub(tmp_path / "hub") as running:
        told = asyncio.run(asyncio.wait_for(end(running.address), PATIENCE))
    assert told == []
