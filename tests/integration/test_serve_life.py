"""The life of a service: what time limits and its end do to requests that are under way."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.helpers.programs import NPU_FARM, SIMULATED, Programs
from tests.helpers.server import Server, serving
from tests.helpers.support import PATIENCE, wait_for

# One worker, which takes a second for an image; twenty are more than any of these tests waits for.
SLOW = (
    *SIMULATED,
    "-s",
    "1",
    "--set",
    "simulated.npu_cores=1",
    "--set",
    "simulated.service_ms=1000",
)
MANY = 20


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Threads that send requests."""
    with ThreadPoolExecutor(MANY) as pool:
        yield pool


def in_flight(server: Server) -> int:
    """How many images wait or are computed, as Prometheus is told."""
    lines = httpx.get(f"{server.url}/metrics").text.splitlines()
    names = ("npu_farm_images_waiting ", "npu_farm_images_in_flight ")
    return sum(int(float(line.split()[1])) for line in lines if line.startswith(names))


def send(
    server: Server, pool: ThreadPoolExecutor, photo: bytes, count: int
) -> list[Future[httpx.Response]]:
    """Send a photo so many times at once; return once the farm has most of them."""
    url = f"{server.url}/classify"
    asked = [pool.submit(httpx.post, url, content=photo, timeout=PATIENCE) for _ in range(count)]
    assert wait_for(lambda: in_flight(server) > count / 2)
    return asked


def test_a_second_signal_ends_it_at_once(renders: list[Path], pool: ThreadPoolExecutor) -> None:
    with serving(*SLOW, "--set", "drain_seconds=60") as server:
        asked = send(server, pool, renders[0].read_bytes(), MANY)
        server.process.send_signal(signal.SIGINT)
        assert server.wait_for("draining")["images"] > MANY / 2
        begun = time.monotonic()
        assert server.end() == 128 + signal.SIGINT
        assert time.monotonic() - begun < MANY / 2
    answers = [each.result() for each in asked]
    assert {answer.status_code for answer in answers} <= {200, 503}
    refused = [answer for answer in answers if answer.status_code == 503]
    assert {answer.json()["error"]["kind"] for answer in refused} == {"stopping"}


def test_what_is_not_finished_within_drain_seconds_is_refused(
    renders: list[Path], pool: ThreadPoolExecutor
) -> None:
    with serving(*SLOW, "--set", "drain_seconds=0.5") as server:
        asked = send(server, pool, renders[0].read_bytes(), MANY)
        assert server.end() == 128 + signal.SIGTERM
    kinds = [each.result().json()["error"] for each in asked]
    assert {kind["kind"] for kind in kinds if kind} == {"stopping"}


def test_while_it_drains_it_is_not_ready_and_takes_nothing_in(
    renders: list[Path], pool: ThreadPoolExecutor
) -> None:
    photo = renders[0].read_bytes()
    with serving(*SLOW, "--set", "drain_seconds=60") as server:
        asked = send(server, pool, photo, 3)
        server.process.send_signal(signal.SIGTERM)
        server.wait_for("draining")
        assert httpx.get(f"{server.url}/v2/health/live").status_code == 200
        assert httpx.get(f"{server.url}/v2/health/ready").status_code == 503
        answer = httpx.post(f"{server.url}/classify", content=photo)
        assert (answer.status_code, answer.json()["error"]["kind"]) == (503, "stopping")
        assert [each.result().status_code for each in asked] == [200] * 3
        assert server.process.wait(PATIENCE) == 128 + signal.SIGTERM


def test_with_a_full_queue_a_client_is_told_when_to_come_again(
    renders: list[Path], pool: ThreadPoolExecutor
) -> None:
    photo = renders[0].read_bytes()
    with serving(*SLOW, "--queue", "3") as server:
        url = f"{server.url}/classify"
        asked = [pool.submit(httpx.post, url, content=photo, timeout=PATIENCE) for _ in range(MANY)]
        answers = [each.result() for each in asked]
    refused = [answer for answer in answers if answer.status_code != 200]
    assert 3 <= len(answers) - len(refused) < MANY
    assert {(each.status_code, each.json()["error"]["kind"]) for each in refused} == {(429, "busy")}
    assert all(1 <= int(each.headers["retry-after"]) <= 60 for each in refused)


def test_a_request_is_answered_within_its_time_limit_and_the_services(
    renders: list[Path], pool: ThreadPoolExecutor
) -> None:
    """What is late is not computed any more, if no worker has it."""
    photo = renders[0].read_bytes()
    with serving(*SLOW, "--timeout", "3", "--set", "batch=1", "--set", "window=1") as server:
        late = pool.submit(httpx.post, f"{server.url}/classify?timeout=0.3", content=photo)
        assert (late.result().status_code, late.result().json()["error"]["kind"]) == (
            504,
            "timed_out",
        )
        asked = send(server, pool, photo, MANY)
        statuses = sorted(each.result().status_code for each in asked)
        assert statuses.count(200) in range(1, 5)
        assert statuses[-1] == 504
        assert wait_for(lambda: in_flight(server) == 0, within=5)


def test_a_signal_before_it_is_up_ends_it(programs: Programs) -> None:
    slow = ("--set", "simulated.service_ms=5000", "--log-format", "json")
    process = programs.start(NPU_FARM, "serve", *SIMULATED, *slow, "--port", "0")
    assert process.stderr is not None
    assert any(json.loads(line)["event"] == "starting" for line in process.stderr)
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 128 + signal.SIGTERM
