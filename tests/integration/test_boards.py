"""What one sees of a hub's boards: `npu-farm boards`, `top --hub`, metrics; a real server."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from nats.js import JetStreamContext

from farm.cluster import names, streams
from farm.cluster.access import Access
from farm.cluster.metrics import serve_metrics
from farm.cluster.presence import encode
from farm.errors import ConfigError
from tests.helpers.emulator import CURSOR, GIVEN_BACK, Emulator, emulator, in_terminal
from tests.helpers.hub import SERVER, TOKEN, Hub, free_port, hub
from tests.helpers.hub_peers import board
from tests.helpers.presences import a_board, at_hub, put
from tests.helpers.programs import FAST, NPU_FARM, Programs, missing, npu_farm
from tests.helpers.promtool import promtool
from tests.helpers.support import PATIENCE, wait_for

ROCK = a_board("rock")
FAKE = a_board("fake", simulated=True, model="net")
EVIL = a_board("evil", board="evil\x1b[2J\x1b]0;owned\x07")
HOLDING_SECONDS = 600.0


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub whose boards stay though they say nothing more."""
    monkeypatch.setattr(streams, "PRESENCE_SECONDS", HOLDING_SECONDS)
    with hub(tmp_path / "hub") as started:
        yield started


def fill(address: str) -> None:
    """Three boards and what is none; 5 jobs, of which a board holds 2; 3 results of another run."""

    async def filled(js: JetStreamContext) -> None:
        queue = ROCK.offer.queues()[0]
        await streams.make_queue(js, queue)
        consumer = names.queue_consumer(queue)
        puller = await js.pull_subscribe_bind(consumer=consumer, stream=names.JOBS)
        for _ in range(5):
            await js.publish(names.job_subject(queue, "a" * 20), b"job")
        assert len(await puller.fetch(2)) == 2
        for _ in range(3):
            await js.publish(names.result_subject("b" * 20), b"result")
        await js.publish(names.result_subject("\x1b[2J"), b"result")

    put(address, ROCK, FAKE, EVIL, bad=b"\x1b[2J", other=b"{}")
    at_hub(address, filled)


def cells(text: str, first: str) -> list[str]:
    """The cells of the line that begins so."""
    (found,) = [line for line in text.splitlines() if line.startswith(f"{first} ")]
    return found.split()


def test_boards_and_what_waits_for_them_are_printed(running: Hub) -> None:
    fill(running.address)
    shown = npu_farm("boards", running.address)
    assert (shown.returncode, shown.stderr) == (0, "")
    facts = ("2 boards 1625/s", "1 simulated board 812/s", r"evil\x1b[2J", "net (simulated)")
    assert missing((*facts, "1 left out", "no npu-farm: 1"), shown.stdout) == []
    assert shown.stdout.replace("\n", "").isprintable()
    assert cells(shown.stdout, "glyphs") == ["glyphs", "2", "1625", "3", "2"]
    assert cells(shown.stdout, "a" * 20)[1:] == ["5", "0"]
    assert cells(shown.stdout, "b" * 20)[1:] == ["0", "3"]


def test_programs_get_json(running: Hub) -> None:
    fill(running.address)
    for words in (("boards", "--json", running.address), ("top", "--once", "--json")):
        given = () if words[0] == "boards" else ("--hub", running.address)
        shown = npu_farm(*words, *given)
        assert (shown.returncode, shown.stderr) == (0, "")
        told = json.loads(shown.stdout)
        by_name = {each["board"]["id"]: each["board"] for each in told["boards"]}
        assert by_name["rock"]["npu_load"] == [0.9, 0.85, 0.05]
        assert by_name["fake"]["offer"]["simulated"]
        assert list(told["refused"].values()) == [1, 1]
        held = {each["queue"]: (each["waiting"], each["in_flight"]) for each in told["queues"]}
        assert held[ROCK.offer.queues()[0]] == (3, 2)
        assert told["runs"][1] == {"run": "b" * 20, "jobs": 0, "results": 3}


def test_who_comes_first_is_told_how_to_join(running: Hub, tmp_path: Path) -> None:
    shown = npu_farm("boards", running.address)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert f"\n  npu-farm join {running.address} CONFIG\n" in shown.stdout
    (file := tmp_path / "a token").write_text(TOKEN)
    address = running.address.replace(f"{TOKEN}@", "")
    shown = npu_farm("boards", address, "--token-file", str(file))
    assert f"\n  npu-farm join {address} --token-file '{file}' CONFIG\n" in shown.stdout
    assert json.loads(npu_farm("boards", running.address, "--json").stdout)["boards"] == []


def test_a_sender_is_told_of_boards_that_it_can_not_use(running: Hub) -> None:
    newer = encode(ROCK).replace(b'"version":1', b'"version":2')
    put(running.address, newer=newer)
    refused = npu_farm("send", running.address)
    assert (refused.returncode, refused.stdout) == (3, "")
    assert "version 2" in refused.stderr


@pytest.mark.parametrize("words", [("boards",), ("top", "--once", "--hub")])
def test_a_hub_that_is_not_there_is_an_error_at_once(words: tuple[str, ...]) -> None:
    refused = npu_farm(*words, f"nats://secret@127.0.0.1:{free_port()}")
    assert (refused.returncode, refused.stdout) == (3, "")
    assert refused.stderr.startswith("error: ")
    assert "secret" not in refused.stderr


def test_a_wrong_token_is_refused(running: Hub) -> None:
    refused = npu_farm("boards", f"nats://wrong@127.0.0.1:{running.port}")
    assert refused.returncode == 3
    assert "does not let us in" in refused.stderr


def test_a_server_that_can_hold_no_queue_is_told_from_a_hub(programs: Programs) -> None:
    port = free_port()
    server = programs.start(SERVER, "-a", "127.0.0.1", "-p", str(port))
    assert "Server is ready" in read_until_has(server, "Server is ready")
    refused = npu_farm("boards", f"nats://127.0.0.1:{port}")
    assert (refused.returncode, refused.stdout) == (3, "")
    assert "JetStream" in refused.stderr


def read_until_has(program: subprocess.Popen[str], text: str) -> str:
    """Read what a program says up to the first line that has a text."""
    assert program.stderr is not None
    return next((line for line in program.stderr if text in line), "")


def test_a_real_board_is_shown_as_it_is_and_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "PRESENCE_SECONDS", 8.0)  # a board tells every 3 s

    def seen(address: str) -> dict[str, Any]:
        shown = npu_farm("boards", "--json", address)
        assert shown.returncode == 0, shown.stderr
        told = json.loads(shown.stdout)
        assert told["refused"] == {}
        return {each["board"]["board"]: each for each in told["boards"]}

    with (
        hub(tmp_path / "hub") as running,
        board(running.address, *FAST, "--board", "kitchen", "--name", "net") as killed,
        board(running.address, *FAST, "--board", "cellar", "--name", "net") as stopped,
    ):
        assert wait_for(lambda: set(seen(running.address)) == {"kitchen", "cellar"})
        shown = npu_farm("boards", running.address)
        assert cells(shown.stdout, "kitchen")[:4] == ["kitchen", "net", "(simulated)", "rk3588"]
        assert cells(shown.stdout, "net")[:3] == ["net", "(simulated)", "2"]
        stopped.send_signal(signal.SIGTERM)
        stopped.wait(PATIENCE)
        assert set(seen(running.address)) == {"kitchen"}
        killed.kill()
        assert wait_for(lambda: not seen(running.address))


@pytest.mark.parametrize(
    "words",
    [
        ("top", "--pid", "1", "--hub", "nats://hub"),
        ("top", "--once", "--token-file", "x"),
        ("top", "--hub", "nats://hub"),  # no terminal
    ],
)
def test_what_does_not_go_together_is_refused(words: tuple[str, ...]) -> None:
    assert npu_farm(*words).returncode == 2


@pytest.fixture
def terminal() -> Iterator[Emulator]:
    with emulator() as opened:
        yield opened


def top(programs: Programs, terminal: Emulator, address: str) -> subprocess.Popen[str]:
    words = ("setsid", "-c", NPU_FARM, "top", "--hub", address)
    return programs.start(*words, **in_terminal(terminal.there))


def test_a_hub_is_drawn_through_its_restart(
    running: Hub, programs: Programs, terminal: Emulator
) -> None:
    put(running.address, ROCK, FAKE, EVIL, bad=b"\x1b[2J")
    program = top(programs, terminal, running.address)
    terminal.shows("rock", "net (simulated)", r"evil\x1b[2J", "1 left out", "q: leave")
    put(running.address, a_board("later"))
    terminal.shows("later")
    running.kill()
    terminal.shows("nothing new for", "rock")
    running.start()
    terminal.until(lambda: "nothing new for" not in terminal.text)
    put(running.address, a_board("last"))
    terminal.shows("last")
    terminal.type("q")
    assert program.wait() == 0
    terminal.until(lambda: CURSOR + GIVEN_BACK in terminal.raw)
    assert "\x1b]0" not in terminal.raw
    assert "lost" not in terminal.raw  # what the log says of the link would be amid the picture


def test_a_hub_whose_store_is_gone_is_begun_anew(
    running: Hub, programs: Programs, terminal: Emulator
) -> None:
    put(running.address, ROCK)
    top(programs, terminal, running.address)
    terminal.shows("rock")

    async def emptied(js: JetStreamContext) -> None:
        for each in await js.streams_info():
            assert each.config.name is not None
            await js.delete_stream(each.config.name)

    at_hub(running.address, emptied)
    terminal.shows("No board is at this hub")


def scraped(port: int) -> str:
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        return str(answer.read().decode())


def test_a_hub_is_scraped_and_says_when_it_is_away(
    running: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("farm.cluster.metrics.EVERY_SECONDS", 0.1)
    monkeypatch.setattr("farm.cluster.metrics.PRESENCE_SECONDS", 3.0)
    fill(running.address)
    with serve_metrics(Access(address=running.address), "127.0.0.1", 0) as port:
        text = scraped(port)
        assert promtool("check", "metrics", data=text.encode()) == ""
        lines = (
            "npu_farm_cluster_up 1.0",
            'npu_farm_cluster_jobs_waiting{model="glyphs",simulated="false"} 3.0',
            'npu_farm_cluster_jobs_in_flight{model="glyphs",simulated="false"} 2.0',
            'npu_farm_cluster_boards{model="net",simulated="true"} 1.0',
            "npu_farm_cluster_results_waiting 3.0",
        )
        assert missing(lines, text) == []
        running.kill()
        assert wait_for(lambda: "npu_farm_cluster_up 0.0" in scraped(port))
        assert "npu_farm_cluster_boards" not in scraped(port)
        running.start()
        assert wait_for(lambda: "npu_farm_cluster_up 1.0" in scraped(port))
        with (
            pytest.raises(ConfigError, match="in use"),
            serve_metrics(Access(address=running.address), "127.0.0.1", port),
        ):
            pass
