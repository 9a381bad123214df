"""The life of a board at a hub: its farm goes up, it joins, it drains, it ends with a code."""

from __future__ import annotations

import asyncio
import secrets
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js import JetStreamContext

from farm.api import Farm
from farm.api.room import Bound
from farm.cluster import presence, roster, streams
from farm.cluster.board import Board
from farm.cluster.ends import Ends, unless
from farm.cluster.link import GONE, Access, connect_for_ever, persist
from farm.cluster.objects import Objects
from farm.cluster.offer import Offer
from farm.cluster.own_offer import offer_of
from farm.cluster.presence import Presence, presence_of
from farm.cluster.shared_paths import SharedFolder
from farm.cluster.unpacking import Unpacker
from farm.config.schema import FarmConfig
from farm.errors import EXIT_SIGNAL_BASE, InterruptedStartError
from farm.system import systemd
from farm.system.log import LOG
from farm.system.progress import starting
from farm.system.signals import StartSignals
from farm.watch.viewer import Viewer
from workers.images.file_reader import most_bytes

NO_BOUND: Final = Bound(items=1 << 30, bytes=1 << 50)  # a board's window is one
CLOSE_SECONDS: Final = 2  # for the last words to the hub


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which hub a board joins, under which names it and its model are seen there.

    In the folder `shared`, it opens images by their paths; None: it opens none.
    """

    access: Access
    board: str
    model_name: str
    shared: SharedFolder | None


def join(config: FarmConfig, request: Request) -> int:
    """Work for a hub until a signal comes; return 128 plus the signal.

    Raises HubError if the hub does not let us in, and what a farm raises that can't start, or has
    lost its workers.
    """
    signals = StartSignals()
    with signals:
        try:
            with Farm(config, signals=signals, starting=starting, bound=NO_BOUND) as farm:
                signals.up = True
                with closing(Viewer(farm.snapshot_address)) as viewer:
                    asyncio.run(work(farm, request, viewer, signals))
        except InterruptedStartError as error:
            LOG.info(str(error))
        return EXIT_SIGNAL_BASE + signals.received[0]


async def work(farm: Farm, request: Request, viewer: Viewer, signals: StartSignals) -> None:
    """Work until a signal comes; raises what a farm raises that can't go on, and HubError."""
    ends = Ends(signals.received, farm.drive())
    watching = asyncio.ensure_future(ends.watch())
    name = f"npu-farm join {request.board}"
    try:
        connecting = connect_for_ever(request.access, name, ends.end)
        client = await unless(ends.stop, connecting)
        if client is not None:
            try:
                await serve(Joined(farm, request, viewer, client), ends)
            finally:
                ends.stop.set()  # what ends the connection from now on, is us
                with suppress(*GONE):  # a hub that is away
                    await client.flush(CLOSE_SECONDS)
                with suppress(*GONE):
                    await asyncio.wait_for(client.close(), CLOSE_SECONDS)
    finally:
        watching.cancel()
    if ends.error is not None:
        raise ends.error


@dataclass(frozen=True, slots=True)
class Joined:
    """A farm, what it is to do, who sees it, and its connection to the hub."""

    farm: Farm
    request: Request
    viewer: Viewer
    client: Client


async def serve(joined: Joined, ends: Ends) -> None:
    """Work on jobs until an end; what is held then is finished in time, or given back."""
    farm, request, client = joined.farm, joined.request, joined.client
    js = client.jetstream()
    unpacker = Unpacker(request.shared, Objects(js), most_bytes(farm.config.max_pixels))
    board = Board(
        farm,
        client,
        unpacker,
        name=request.board,
        failed=ends.end,
    )
    offer = offer_of(farm, request.model_name, by_path=request.shared is not None)
    who = newcomer(joined, board, offer)
    ack_seconds = await unless(ends.stop, persist(partial(enter, js, who)))
    if ack_seconds is None:
        return
    showing = asyncio.ensure_future(show(joined, board, who))
    try:
        board.start(offer.queues(), ack_seconds)
        LOG.info(f"{request.board} works for {request.access}: {offer}", extra={"event": "joined"})
        systemd.notify(systemd.READY)
        await ends.stop.wait()
        systemd.notify(systemd.STOPPING)
        if not ends.hurry.is_set():
            LOG.info(
                f"stopping: {board.holding.images} images are left; a second signal ends this at "
                "once",
                extra={"event": "draining", "images": board.holding.images},
            )
            await unless(ends.hurry, board.drain(farm.config.drain_seconds))
    finally:
        await board.give_back()
        showing.cancel()
        await asyncio.wait((showing,))


async def enter(js: JetStreamContext, who: Presence) -> float:
    """Make what a board needs at a hub, and tell that it is there; return the hub's ack_seconds."""
    await streams.ensure(js)
    for queue in who.offer.queues():
        await streams.make_queue(js, queue)
    others = [each for each in await roster.boards(js) if each.id != who.id]
    if who.board in {each.board for each in others}:
        LOG.warning(
            f"a board called {who.board} is here already, or was a moment ago: --board gives this "
            "one a name of its own",
            extra={"event": "same_name"},
        )
    await tell(js, who)
    return await streams.ack_seconds(js)


async def tell(js: JetStreamContext, who: Presence) -> None:
    """Tell the hub how a board is; raises what the client of NATS raises."""
    bucket = await streams.boards_bucket(js)
    await bucket.put(who.id, presence.encode(who))


async def show(joined: Joined, board: Board, who: Presence) -> None:
    """Tell the hub, again and again, how this board is; at the end, that it has gone."""
    js = joined.client.jetstream()
    try:
        while True:
            await asyncio.sleep(presence.EVERY_SECONDS)
            seen = joined.viewer.receive(0)
            if seen is not None:
                held, window = board.holding.images, board.holding.window
                who = presence_of(who, seen, held=held, window=window)
                board.holding.pace(who.rate)
            with suppress(NatsError, asyncio.TimeoutError):
                await tell(js, who)
    finally:
        with suppress(NatsError, asyncio.TimeoutError):
            bucket = await streams.boards_bucket(js)
            await bucket.delete(who.id)


def newcomer(joined: Joined, board: Board, offer: Offer) -> Presence:
    """Return what a board says of itself before its farm has been looked at."""
    now = time.time()
    return Presence(
        id=secrets.token_hex(8),
        board=joined.request.board,
        started=now,
        at=now,
        offer=offer,
        size=len(joined.farm.plan.workers),
        rate=0.0,
        ok=0,
        failed=0,
        held=0,
        window=board.holding.window,
        npu_load=None,
        hottest=None,
        memory_mb=0.0,
        available_mb=0.0,
    )
