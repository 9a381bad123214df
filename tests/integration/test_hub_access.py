"""What opens a hub, and what does not: with real servers, keys and certificates."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from farm.cluster import names
from farm.cluster.link import Access, RefusedError, connect
from farm.errors import ConfigError, HubError
from tests.helpers.hub import OF_TOKEN, TOKEN, Hub, free_port, hub
from tests.helpers.hub_keys import certificate, make_key, operator
from tests.helpers.support import PATIENCE


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Settings of a server with TLS and a token."""
    cert, key = certificate(tmp_path_factory.mktemp("tls"), "localhost")
    return {**OF_TOKEN, "tls": {"cert_file": str(cert), "key_file": str(key)}}


def as_given(flag: str, file: Path) -> dict[str, Any]:
    return {flag: file}


def let_in(access: Access) -> None:
    """Get into a hub, and out; raises what `connect` does."""

    async def enter() -> None:
        await (await connect(access, "test", lambda _: None)).close()

    asyncio.run(enter())


def test_a_wrong_token_is_refused(tmp_path: Path) -> None:
    with hub(tmp_path) as running:
        for token in ("wrong", ""):
            with pytest.raises(RefusedError) as raised:
                let_in(Access(address=f"nats://{token}@127.0.0.1:{running.port}"))
            assert TOKEN not in str(raised.value)


def test_a_token_of_its_own_stands_in_for_that_of_the_address(tmp_path: Path) -> None:
    with hub(tmp_path) as running:
        let_in(Access(address=f"nats://127.0.0.1:{running.port}", token=TOKEN))
        let_in(Access(address=f"nats://wrong@127.0.0.1:{running.port}", token=TOKEN))


def test_the_key_of_a_user_opens_a_hub(tmp_path: Path) -> None:
    key, other = make_key(), make_key()
    (seed := tmp_path / "user.nk").write_text(f"# a comment\n{key.seed}\n")
    (wrong := tmp_path / "other.nk").write_text(other.seed)
    users = {"authorization": {"users": [{"nkey": key.public}]}}
    with hub(tmp_path / "hub", settings=users, nkey=seed) as running:
        let_in(running.access)
        with pytest.raises(RefusedError):
            let_in(replace(running.access, nkey=wrong))
        with pytest.raises(RefusedError):
            let_in(replace(running.access, nkey=None))


def test_a_creds_file_opens_a_hub_with_accounts(tmp_path: Path) -> None:
    creds, others = tmp_path / "user.creds", tmp_path / "others.creds"
    operator(others)
    with hub(tmp_path / "hub", settings=operator(creds), creds=creds) as running:
        let_in(running.access)
        with pytest.raises(RefusedError):
            let_in(replace(running.access, creds=others))


@pytest.mark.parametrize("flag", ["creds", "nkey"])
@pytest.mark.parametrize("content", [b"", b"SUAM\n", b"\xff\0", b"-----BEGIN NATS USER JWT-----\n"])
def test_a_file_that_opens_nothing_is_told(tmp_path: Path, flag: str, content: bytes) -> None:
    """The client itself reads a file without a JWT for ever."""
    (file := tmp_path / "file").write_bytes(content)
    nowhere = Access(address="nats://127.0.0.1:1")
    with pytest.raises(ConfigError, match=f"--{flag} .*file"):
        replace(nowhere, **as_given(flag, file)).options()
    with pytest.raises(ConfigError, match="No such file"):
        replace(nowhere, **as_given(flag, tmp_path / "none")).options()


def test_tls_is_spoken_with_whom_the_user_trusts(tmp_path: Path, tls: dict[str, Any]) -> None:
    cert = Path(tls["tls"]["cert_file"])
    other, _ = certificate(tmp_path, "other")
    with hub(tmp_path / "hub", settings=tls, tls_ca=cert) as running:
        let_in(running.access)
        let_in(replace(running.access, address=running.address.replace("tls:", "nats:")))
        for untrusted in (other, None):
            with pytest.raises(HubError, match=r"TLS: .*--tlsca") as raised:
                let_in(replace(running.access, tls_ca=untrusted))
            assert not isinstance(raised.value, RefusedError)
        # The same place, under a name that the certificate has not.
        elsewhere = running.address.replace("127.0.0.1", "127.1")
        with pytest.raises(HubError, match=r"TLS: .*127\.1'; use a name"):
            let_in(replace(running.access, address=elsewhere))


def test_a_server_without_tls_does_not_get_the_token(tls: dict[str, Any]) -> None:
    cert = Path(tls["tls"]["cert_file"])

    async def attempt(scheme: str, ca: Path | None) -> bytes:
        spy = Spy()
        async with spy.listening(port := free_port()):
            access = Access(address=f"{scheme}://{TOKEN}@127.0.0.1:{port}", tls_ca=ca)
            with pytest.raises(HubError, match="TLS is asked for"):
                await connect(access, "test", lambda _: None)
        return bytes(spy.heard)

    assert asyncio.run(attempt("tls", None)) == b""
    assert asyncio.run(attempt("nats", cert)) == b""


def test_nor_when_it_takes_the_place_of_one_with_tls(tmp_path: Path, tls: dict[str, Any]) -> None:
    async def reconnect(running: Hub) -> bytes:
        link = await connect(running.access, "test", lambda _: None)
        running.kill()
        spy = Spy()
        async with spy.listening(running.port):
            await until(lambda: spy.connections > 2)
            await link.close()
        return bytes(spy.heard)

    cert = Path(tls["tls"]["cert_file"])
    with hub(tmp_path, settings=tls, tls_ca=cert) as running:
        assert asyncio.run(reconnect(running)) == b""


def test_a_hub_whose_token_has_changed_ends_the_connection(tmp_path: Path) -> None:
    """The client itself would try for ever, and say nothing."""

    async def change(running: Hub) -> HubError:
        ended: asyncio.Future[HubError] = asyncio.get_running_loop().create_future()
        link = await connect(running.access, "test", ended.set_result)
        running.kill()
        await link.publish(names.result_subject("run"), b"waits to be sent")
        running.settings["authorization"] = {"token": "another"}
        await asyncio.to_thread(running.start)
        return await asyncio.wait_for(ended, PATIENCE)

    with hub(tmp_path) as running:
        assert isinstance(asyncio.run(change(running)), RefusedError)


def test_a_token_that_is_taken_back_ends_the_connection(tmp_path: Path) -> None:
    """A server that reads its config anew sends away whom it lets in no more."""

    async def take_back(running: Hub) -> HubError:
        ended: asyncio.Future[HubError] = asyncio.get_running_loop().create_future()
        await connect(running.access, "test", ended.set_result)
        running.settings["authorization"] = {"token": "another"}
        running.reload()
        return await asyncio.wait_for(ended, PATIENCE)

    with hub(tmp_path) as running:
        assert isinstance(asyncio.run(take_back(running)), RefusedError)


def test_an_end_by_our_will_is_no_loss(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with hub(tmp_path) as running:
        caplog.clear()
        let_in(running.access)
    assert caplog.records == []


class Spy:
    """A server without TLS: how many connections it had, what was said to it."""

    def __init__(self) -> None:
        self.connections = 0
        self.heard = bytearray()

    @asynccontextmanager
    async def listening(self, port: int) -> AsyncIterator[None]:
        server = await asyncio.start_server(self.hear, "127.0.0.1", port)
        yield
        server.close()

    async def hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        info = {"server_id": "spy", "version": "2.11.0", "max_payload": 1 << 20, "headers": True}
        writer.write(b"INFO " + json.dumps({**info, "auth_required": True}).encode() + b"\r\n")
        with suppress(ConnectionError):
            while data := await reader.read(1000):
                self.heard.extend(data)
        writer.close()


async def until(fact: Callable[[], bool]) -> None:
    """Wait for a fact."""

    async def wait() -> None:
        while not fact():
            await asyncio.sleep(0.01)

    await asyncio.wait_for(wait(), PATIENCE)
