"""`npu-farm hub` as a real process."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from nats.errors import Error as NatsError

from farm.cluster import names, streams
from farm.cluster.hub_store import read_token
from farm.cluster.link import Access, connect
from farm.cluster.streams import MB
from farm.errors import HubError
from tests.helpers.hub import SERVER, free_port
from tests.helpers.hub_keys import certificate
from tests.helpers.programs import NPU_FARM, npu_farm
from tests.helpers.support import PATIENCE, is_alive, wait_for

QUICK = ("--store-mb", "512")


class Command:
    """A hub that runs: its process, the address of its line, that of its log."""

    def __init__(self, store: Path, *words: str, port: int, **options: Any) -> None:
        self.port = port
        command = [NPU_FARM, "hub", "--store", str(store), "--port", f"{port}", *QUICK, *words]
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        self.process: subprocess.Popen[str] = subprocess.Popen(
            [*command, "--log-format", "json"], **pipes, **options
        )
        assert self.process.stdout is not None
        self.line = self.process.stdout.readline()
        assert self.line, self.rest()
        self.address = self.line.split()[2]

    @property
    def server(self) -> int:
        """The process of its server."""
        (child,) = children(self.process.pid)
        return child

    def rest(self) -> list[dict[str, Any]]:
        """What it has told, at its end."""
        _, said = self.process.communicate(timeout=PATIENCE)
        return [json.loads(line) for line in said.splitlines()]

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@contextmanager
def hub_command(store: Path, *words: str, port: int = 0, **options: Any) -> Iterator[Command]:
    """A hub on a free port, ready; killed with the block, if it runs still."""
    running = Command(store, *words, port=port or free_port(), **options)
    try:
        yield running
    finally:
        running.process.kill()
        running.process.communicate()


def children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def state_of(access: Access) -> tuple[int, int, float]:
    """How many jobs wait in a hub, how many bytes of them it takes, its seconds."""

    async def ask() -> tuple[int, int, float]:
        link = await connect(access, "test", lambda _: None)
        js = link.jetstream()
        jobs, seconds = await js.stream_info(names.JOBS), await streams.ack_seconds(js)
        await link.close()
        return jobs.state.messages, jobs.config.max_bytes or 0, seconds

    return asyncio.run(ask())


def publish(address: str, seconds: float = PATIENCE) -> None:
    """Put a job into a hub."""

    subject = names.job_subject("queue", "run")

    async def put() -> None:
        link = await connect(Access(address=address), "test", lambda _: None)
        try:
            await link.jetstream().publish(subject, bytes(100_000), timeout=seconds)
        finally:
            await link.close()

    asyncio.run(put())


def test_its_line_is_all_that_others_need(tmp_path: Path) -> None:
    with hub_command(tmp_path, "--ack-seconds", "3") as running:
        token = read_token(tmp_path)
        assert running.line == f"npu-farm join nats://{token}@127.0.0.1:{running.port} CONFIG\n"
        assert state_of(Access(address=running.address)) == (0, (512 - 64) * MB // 2, 3.0)
        server = running.server
        assert running.end() == 128 + signal.SIGTERM
        assert not is_alive(server)
        assert [each["event"] for each in running.rest()] == ["hub", "ended"]


def test_it_tells_the_address_for_others(tmp_path: Path) -> None:
    with hub_command(tmp_path, "--listen", "0.0.0.0") as running:  # noqa: S104 - for a moment
        running.end()
        told, _ = running.rest()
    heard = str(Access(address=running.address))
    assert (heard in told["message"], "127.0.0.1" in told["message"]) == (True, False)


def test_nobody_else_reads_its_secrets(tmp_path: Path) -> None:
    store = tmp_path / "store"
    with hub_command(store) as running:
        token = read_token(store)
        assert token is not None
        modes = {name: (store / name).stat().st_mode & 0o777 for name in ("token", "server.conf")}
        assert modes == {"token": 0o600, "server.conf": 0o600}
        assert store.stat().st_mode & 0o777 == 0o700
        for pid in (running.process.pid, running.server):
            for file in ("cmdline", "environ"):
                assert token.encode() not in Path(f"/proc/{pid}/{file}").read_bytes()
        running.end()
        assert token not in json.dumps([each["message"] for each in running.rest()])


def test_it_goes_on_where_it_was(tmp_path: Path) -> None:
    with hub_command(tmp_path) as running:
        address = running.address
        publish(address)
        assert running.end(signal.SIGINT) == 128 + signal.SIGINT
    with hub_command(tmp_path, port=running.port) as again:
        assert again.address == address
        assert state_of(Access(address=address))[0] == 1


def test_the_death_of_its_server_ends_it(tmp_path: Path) -> None:
    with hub_command(tmp_path) as running:
        publish(running.address)
        os.kill(running.server, signal.SIGKILL)
        assert running.process.wait(PATIENCE) == 3
        assert running.rest()[-1]["level"] == "error"
    with hub_command(tmp_path) as again:
        assert state_of(Access(address=again.address))[0] == 1


def test_its_server_ends_with_it(tmp_path: Path) -> None:
    with hub_command(tmp_path) as running:
        server = running.server
        running.end(signal.SIGKILL)
        assert wait_for(lambda: not is_alive(server))
    with hub_command(tmp_path):
        pass


def test_ctrl_c_is_for_it_alone(tmp_path: Path) -> None:
    """A terminal sends the signal to all processes of a group."""
    with hub_command(tmp_path, start_new_session=True) as running:
        os.killpg(running.process.pid, signal.SIGINT)
        assert running.process.wait(PATIENCE) == 128 + signal.SIGINT
        assert [each for each in running.rest() if each["level"] != "info"] == []


def test_its_limits_may_change(tmp_path: Path) -> None:
    sizes = []
    for size in (1024, 512):
        with hub_command(tmp_path, "--store-mb", f"{size}") as running:
            sizes.append(state_of(Access(address=running.address))[1])
    assert sizes == [(each - 64) * MB // 2 for each in (1024, 512)]


def test_it_speaks_tls(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path, "localhost")
    files = ("--certfile", str(cert), "--keyfile", str(key))
    with hub_command(tmp_path / "store", *files) as running:
        assert running.address.startswith("tls://")
        state_of(Access(address=running.address, tls_ca=cert))
        running.end()
        told = running.rest()
    assert [each for each in told if each["level"] != "info"] == []
    assert "--tlsca" in told[0]["message"]


def test_prometheus_is_answered(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path, "localhost")
    files = ("--certfile", str(cert), "--keyfile", str(key))
    with hub_command(
        tmp_path / "store", *files, "--metrics", f"{(port := free_port())}"
    ) as running:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            assert b"\nnpu_farm_cluster_up 1.0\n" in answer.read()
        assert running.end() == 128 + signal.SIGTERM


def test_a_port_for_prometheus_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = f"{taken.getsockname()[1]}"
        code, said = refused(tmp_path, "--metrics", port)
    assert (code, port in said) == (2, True)


def test_a_folder_may_have_any_name(tmp_path: Path) -> None:
    store = tmp_path / 'a "b" \\ $é' / os.fsdecode(b"\xff")
    with hub_command(store):
        assert (store / "jetstream").is_dir()


def refused(store: Path, *words: str) -> tuple[int, str]:
    """The exit code and the words of a hub that does not start."""
    done = npu_farm("hub", "--store", str(store), "--port", f"{free_port()}", *QUICK, *words)
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


def test_a_store_has_one_hub(tmp_path: Path) -> None:
    with hub_command(tmp_path):
        code, said = refused(tmp_path)
    assert (code, str(tmp_path) in said, "another hub" in said) == (2, True, True)


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = f"{taken.getsockname()[1]}"
        code, said = refused(tmp_path, "--port", port)
    assert (code, port in said, "--port" in said) == (3, True, True)


def test_an_address_of_another_machine_is_told(tmp_path: Path) -> None:
    code, said = refused(tmp_path, "--listen", "192.0.2.77")
    assert (code, "--listen" in said) == (3, True)


def test_a_store_that_can_not_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert refused(tmp_path / "file")[0] == 2
    assert refused(tmp_path / "file" / "below")[0] == 2
    (tmp_path / "token").write_text("")
    code, said = refused(tmp_path)
    assert (code, "token" in said) == (2, True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_store_that_others_own_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert refused(tmp_path)[0] == 2


def test_a_disk_that_is_too_small_is_told(tmp_path: Path) -> None:
    code, said = refused(tmp_path, "--store-mb", "100000000")
    assert (code, "--store-mb" in said) == (2, True)
    assert not (tmp_path / "jetstream").exists()


def test_a_disk_that_gets_full_ends_it_and_room_is_all_it_needs(tmp_path: Path) -> None:
    """The server itself would run on, and take nothing any more even when there is room again."""
    mount = ("/bin/mount", "-t", "tmpfs", "-o", "size=400m", "tests", tmp_path)
    if os.geteuid() != 0 or subprocess.run(mount, check=False).returncode != 0:
        pytest.skip("only root may make a small disk")
    try:
        with hub_command(tmp_path / "store", "--store-mb", "256") as running:
            publish(running.address)
            fill(tmp_path / "others")
            while running.process.poll() is None:
                with suppress(NatsError, HubError):
                    publish(running.address, 0.5)
            assert running.process.wait(PATIENCE) == 3
            assert "no space left" in running.rest()[-1]["message"]
        code, said = refused(tmp_path / "store", "--store-mb", "256")
        assert (code, "--store-mb" in said) == (2, True)
        (tmp_path / "others").unlink()
        with hub_command(tmp_path / "store", "--store-mb", "256") as again:
            assert state_of(Access(address=again.address))[0] >= 1
    finally:
        subprocess.run(("/bin/umount", "--lazy", tmp_path), check=True)


def fill(file: Path) -> None:
    """Take what is left of a disk."""
    with file.open("wb", buffering=0) as filled, suppress(OSError):
        while filled.write(bytes(1 << 12)):
            pass


def test_a_certificate_that_is_none_is_told(tmp_path: Path) -> None:
    (file := tmp_path / "cert.pem").write_text("nothing")
    for words in (("--certfile", str(file)), ("--certfile", str(tmp_path / "none"))):
        code, said = refused(tmp_path / "store", *words)
        assert (code, " ".join(words) in said) == (2, True)
    assert not (tmp_path / "store").exists()
    code, said = refused(tmp_path / "store", "--keyfile", str(file))
    assert (code, "--certfile" in said) == (2, True)


def test_its_config_starts_a_server_of_ones_own(tmp_path: Path) -> None:
    store = tmp_path / "store"
    done = npu_farm("hub", "--print-config", "--store", str(store))
    assert (done.returncode, store.exists()) == (0, False)
    (file := tmp_path / "hub.conf").write_text(done.stdout)
    tested = subprocess.run([SERVER, "-t", "-c", file], capture_output=True, check=False)
    assert tested.returncode == 0, tested.stderr


def test_systemd_is_told(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(PATIENCE)
        told = {**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")}
        with hub_command(tmp_path / "store", env=told) as running:
            assert listening.recv(99) == b"READY=1"
            running.end()
            assert listening.recv(99) == b"STOPPING=1"
