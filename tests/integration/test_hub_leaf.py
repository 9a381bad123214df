"""A site's boards at a server of that site, and users who may do only what npu-farm needs."""

from __future__ import annotations

import asyncio
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from nats.errors import Error as NatsError

from farm.cluster import names, streams
from farm.cluster.link import Access, connect
from farm.errors import HubError
from tests.helpers.hub import SERVER, free_port
from tests.helpers.hub_keys import make_key
from tests.helpers.presences import a_board, put
from tests.helpers.programs import npu_farm
from tests.helpers.support import ROOT, wait_for

PAGE: Final = (ROOT / "docs" / "hub.md").read_text(encoding="utf-8")
VIEWERS: Final = (ROOT / "docs" / "boards.md").read_text(encoding="utf-8")
CONFIGS: Final = re.findall(
    r"^```\n((?:authorization|accounts|max_payload).*?)^```", PAGE, re.M | re.S
)
USER, HUB, SITE = CONFIGS


async def work(access: Access) -> int:
    """Do what boards and senders do at a hub; return how many messages came back."""
    link = await connect(access, "test", lambda _: None)
    js = link.jetstream()
    try:
        await streams.ensure(js)
        await (await streams.boards_bucket(js)).put("board", b"here")
        await streams.make_queue(js, "queue")
        puller = await streams.run_puller(js, run := names.new_token())
        await js.publish(names.job_subject("queue", run), b"a job")
        await js.publish(names.result_subject(run), b"a result")
        for message in (found := await puller.fetch(1, timeout=5)):
            await message.ack_sync()
        return len(found)
    finally:
        await link.close()


def works(access: Access) -> bool:
    with suppress(HubError, NatsError):
        return asyncio.run(work(access)) == 1
    return False


@contextmanager
def server(config: Path, port: int, *lines: str) -> Iterator[None]:
    """A server with these lines of a config, too."""
    config.write_text("\n".join([f'listen: "127.0.0.1:{port}"', *lines]))
    process = subprocess.Popen([SERVER, "-c", config, "-l", config.with_suffix(".log")])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def test_boards_of_a_site_come_by_a_leaf_node(tmp_path: Path) -> None:
    """With what the docs have for it."""
    port, site_port, between = free_port(), free_port(), f"127.0.0.1:{free_port()}"
    store = f'jetstream {{ store_dir: "{tmp_path}/store", domain: hub }}'
    at_hub = HUB.replace("0.0.0.0:7422", between)
    at_site = SITE.replace("hub:7422", between)
    with (
        server(tmp_path / "hub.conf", port, store, at_hub),
        server(tmp_path / "site.conf", site_port, at_site),
    ):
        assert wait_for(lambda: works(Access(address=f"nats://board:...@127.0.0.1:{site_port}")))
        assert works(Access(address=f"nats://sender:...@127.0.0.1:{port}"))


def test_a_user_may_be_held_to_what_is_needed(tmp_path: Path) -> None:
    """And to no more than the docs say."""
    key, port = make_key(), free_port()
    (seed := tmp_path / "seed").write_text(key.seed)
    store = f'jetstream {{ store_dir: "{tmp_path}/store" }}'
    with server(config := tmp_path / "hub.conf", port, store, USER.replace("UABC...", key.public)):
        assert wait_for(lambda: works(Access(address=f"nats://127.0.0.1:{port}", nkey=seed)))
        assert "Violation" not in config.with_suffix(".log").read_text()


def test_a_user_may_only_look(tmp_path: Path) -> None:
    """With what the docs have for it: no other request of `boards` is refused, a job is."""
    (rules,) = re.findall(r"^```\n(authorization.*?)^```", VIEWERS, re.M | re.S)
    rules = rules.replace("users: [", 'users: [ { user: all, password: "..." },', 1)
    port, store = free_port(), f'jetstream {{ store_dir: "{tmp_path}/store" }}'
    viewer, other = (f"nats://{user}:...@127.0.0.1:{port}" for user in ("viewer", "all"))
    with server(config := tmp_path / "hub.conf", port, store, rules):
        assert wait_for(lambda: works(Access(address=other)))
        put(other, a_board("rock"))
        shown = npu_farm("boards", viewer)
        assert (shown.returncode, shown.stderr) == (0, "")
        assert "rock" in shown.stdout
        log = config.with_suffix(".log")
        assert "Violation" not in log.read_text()
        assert not works(Access(address=viewer))
        assert "Violation" in log.read_text()
