"""The live page, as a browser shows what a real service sends."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from farm.serving.live import MOST_VIEWERS
from tests.helpers.browser import Browser, chromium
from tests.helpers.proxy import proxying
from tests.helpers.server import GLYPHS, Server, serving
from tests.helpers.support import wait_for

SIMULATED = ("rk3588", "--runtime", "simulated", "-s", "3")
WORD = "0123456789abcdef"  # the token
STATE = "document.getElementById('state').textContent"
CELL = (
    "document.querySelectorAll('#workers tbody tr')[arguments[0]]"
    ".children[arguments[1]].textContent"
)
TEXTS = "return [...document.querySelectorAll(arguments[0])].map((each) => each.textContent)"
STATE_COLUMN, IMAGES_COLUMN, PROCESS_COLUMN = 1, 4, 10
NO_SIDEWAYS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(*GLYPHS) as started:
        yield started


def answered(browser: Browser, text: str) -> None:
    browser.until("document.getElementById('about').textContent.includes(arguments[0])", text)


@pytest.fixture(scope="module")
def simulated() -> Iterator[Server]:
    with serving(*SIMULATED) as started:
        yield started


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a service behind a proxy that has it in a folder, for who has its token."""
    file = tmp_path_factory.mktemp("token") / "token"
    file.write_text(f"{WORD}\n")
    words = ("--token-file", f"{file}", "--root-path", "/npu", "--max-body-mb", "1")
    with (
        serving(*GLYPHS, *words, "--no-thumbnails") as started,
        proxying(started.url, "/npu") as url,
    ):
        yield url


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_an_image_gets_its_answer_and_nobody_else_is_asked(
    server: Server, browser: Browser, renders: list[Path], *, dark: bool
) -> None:
    browser.open(f"{server.url}/", dark=dark)
    browser.until(f"{STATE} === 'live'")
    right = renders[0].stem.split("_")[1]
    browser.choose("file", renders[0])
    answered(browser, " ms of them in the network")
    best = browser.run("return document.querySelector('#about .bar').textContent")
    assert re.fullmatch(rf"{right}\d+\.\d %", best)
    assert browser.run("return document.querySelector('#frame img').naturalWidth > 0")
    ground = browser.run("return getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(15, 20, 25)" if dark else "rgb(255, 255, 255)")
    assert browser.complaints() == []
    hosts = {httpx.URL(url.removeprefix("blob:")).netloc.decode() for url in browser.loaded()}
    assert hosts == {server.url.removeprefix("http://")}


def test_a_last_result_is_shown_large_when_it_is_pressed(
    server: Server, browser: Browser, renders: list[Path]
) -> None:
    browser.open(f"{server.url}/")
    httpx.post(f"{server.url}/classify", content=renders[1].read_bytes()).raise_for_status()
    browser.until("document.querySelector('#results .picture img') !== null")
    browser.run("document.querySelector('#results button').click()")
    browser.until("document.querySelector('#frame img').naturalWidth === 256")
    assert browser.run("return document.activeElement.id") == "look"
    assert browser.complaints() == []


def test_an_image_that_cannot_be_read_is_told_with_its_reason(
    server: Server, browser: Browser, tmp_path: Path
) -> None:
    (tmp_path / "text.jpg").write_text("no image")
    browser.open(f"{server.url}/")
    browser.choose("file", tmp_path / "text.jpg")
    answered(browser, "not_an_image")
    browser.until("document.querySelector('#frame').textContent === 'no picture'")


def test_a_dropped_image_is_asked_wherever_it_falls(
    server: Server, browser: Browser, renders: list[Path]
) -> None:
    browser.open(f"{server.url}/")
    browser.run(
        """
        const data = new DataTransfer();
        data.items.add(new File([Uint8Array.from(arguments[0])], "mine.jpg", {type: "image/jpeg"}));
        document.querySelector("footer").dispatchEvent(
          new DragEvent("drop", {bubbles: true, cancelable: true, dataTransfer: data}));
        """,
        list(renders[2].read_bytes()),
    )
    answered(browser, "mine.jpg")
    answered(browser, " ms of them in the network")


def test_a_detectors_boxes_are_drawn_on_the_image(browser: Browser, renders: list[Path]) -> None:
    with serving(*SIMULATED, "--task", "detect") as server:
        found = httpx.post(f"{server.url}/detect", content=renders[0].read_bytes()).json()
        browser.open(f"{server.url}/")
        browser.choose("file", renders[0])
        answered(browser, " ms of them in the network")
        drawn = "return document.querySelectorAll('#frame .boxes g').length"
        assert browser.run(drawn) == len(found["objects"]) > 0
        best = found["objects"][0]
        assert browser.run(TEXTS, "#about ol small")[0] == ", ".join(
            str(round(edge)) for edge in best["box"]
        )
        browser.until("document.querySelector('#results .boxes g') !== null")


def test_the_output_of_an_own_task_is_shown_as_json(
    browser: Browser, renders: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text(
        "def f(outputs, image):\n    return {'</pre>': [image.width]}\n", encoding="utf-8"
    )
    with serving(*SIMULATED, "--task", "mine:f", cwd=tmp_path) as server:
        browser.open(f"{server.url}/")
        browser.choose("file", renders[0])
        answered(browser, " ms of them in the network")
        (shown,) = browser.run(TEXTS, "#about pre")
        assert list(json.loads(shown)) == ["</pre>"]


def test_nothing_is_wider_than_a_telephone(
    server: Server, browser: Browser, renders: list[Path]
) -> None:
    browser.open(f"{server.url}/", width=360)
    browser.choose("file", renders[0])
    answered(browser, " ms of them in the network")
    assert browser.run(f"return {NO_SIDEWAYS}")


def test_every_control_has_a_name_and_the_keyboard_reaches_it(
    server: Server, browser: Browser
) -> None:
    browser.open(f"{server.url}/")
    reached = []
    for _ in range(12):
        browser.key("Tab")
        reached.append(
            browser.run("return document.activeElement.id || document.activeElement.pathname")
        )
    assert {"theme", "file", "camera", "/docs", "/openapi.json", "/metrics"} <= set(reached)
    nodes = browser.tell("Accessibility.getFullAXTree")["nodes"]
    controls = [
        node
        for node in nodes
        if node.get("role", {}).get("value")
        in {"button", "link", "meter", "table", "list", "region"}
        and not node["ignored"]
    ]
    assert [node for node in controls if not node.get("name", {}).get("value")] == []


def test_figures_change_as_the_farm_works(
    simulated: Server, browser: Browser, renders: list[Path]
) -> None:
    browser.open(f"{simulated.url}/")
    browser.until(f"{STATE} === 'live'")
    assert browser.run("return document.getElementById('simulated').checkVisibility()")
    assert browser.run("return document.title").startswith("SIMULATED: ")
    before = int(browser.run("return document.getElementById('images').textContent"))
    for image in renders[:6]:
        httpx.post(f"{simulated.url}/classify", content=image.read_bytes()).raise_for_status()
    httpx.post(f"{simulated.url}/classify", content=b"text")
    browser.until(f"document.getElementById('images').textContent === '{before + 6}'")
    browser.until("document.getElementById('rate').textContent !== '0.00'")
    browser.until("document.getElementById('failures').textContent === 'not_an_image1'")
    stages = ["queue", "decode", "wait", "infer", "total"]
    assert browser.run(TEXTS, "#latency tbody td:first-child") == stages
    assert browser.run(TEXTS, "#npu span:first-child") == ["core 0", "core 1", "core 2"]

    def is_busy() -> bool:
        httpx.post(f"{simulated.url}/classify", content=renders[0].read_bytes())
        return any(load != "0 %" for load in browser.run(TEXTS, "#npu span:last-child"))

    assert wait_for(is_busy)
    images = [browser.run(f"return {CELL}", worker, IMAGES_COLUMN) for worker in range(3)]
    assert sum(map(int, images)) >= 6


def test_a_worker_that_dies_is_seen(simulated: Server, browser: Browser) -> None:
    browser.open(f"{simulated.url}/")
    browser.until(f"{STATE} === 'live'")
    process = browser.run(f"return {CELL}", 1, PROCESS_COLUMN)
    os.kill(int(process), signal.SIGKILL)
    browser.until("document.getElementById('warnings').textContent.includes('worker 1 died')")
    browser.until(
        f"{CELL} === 'up' && {CELL.replace('arguments[1]', 'arguments[2]')} !== arguments[3]",
        1,
        STATE_COLUMN,
        PROCESS_COLUMN,
        process,
    )
    browser.until("document.getElementById('up-more').textContent === '1 lost, 1 restarted'")


def test_a_service_that_ends_is_told_and_found_again_when_it_is_back(browser: Browser) -> None:
    with serving(*SIMULATED, "--set", "drain_seconds=600") as server:
        browser.open(f"{server.url}/")
        browser.until(f"{STATE} === 'live'")
        assert server.end() == 128 + signal.SIGTERM  # and does not wait for its viewers
        browser.until(f"{STATE} === 'no connection, trying again'")
    with serving(*SIMULATED, port=httpx.URL(server.url).port or 0):
        browser.until(f"{STATE} === 'live'")


def enter(browser: Browser, url: str) -> None:
    """Open a page as one who has typed in the token when the browser asked for it."""
    browser.open(url.replace("//", f"//me:{WORD}@", 1))
    browser.open(url)
    browser.until(f"{STATE} === 'live'")


def test_a_token_is_asked_for_once_and_is_good_for_all(
    guarded: str, browser: Browser, renders: list[Path]
) -> None:
    assert httpx.get(guarded).status_code == 401
    assert httpx.get(f"{guarded}events").status_code == 401
    enter(browser, guarded)
    browser.choose("file", renders[0])
    answered(browser, " ms of them in the network")


def test_behind_a_proxy_all_links_lead_to_its_folder(guarded: str, browser: Browser) -> None:
    enter(browser, guarded)
    links = "return [...document.querySelectorAll('footer a')].map((a) => a.pathname)"
    assert browser.run(links) == ["/npu/docs", "/npu/openapi.json", "/npu/metrics"]


def test_without_thumbnails_no_picture_is_sent(
    guarded: str, browser: Browser, renders: list[Path]
) -> None:
    enter(browser, guarded)
    browser.choose("file", renders[1])
    browser.until("document.querySelector('#results .bar') !== null")
    assert browser.run("return document.querySelectorAll('#results img').length") == 0


def test_an_image_that_is_too_large_is_not_sent(
    guarded: str, browser: Browser, tmp_path: Path
) -> None:
    (tmp_path / "large.jpg").write_bytes(b"x" * (2**20 + 1))
    enter(browser, guarded)
    browser.choose("file", tmp_path / "large.jpg")
    answered(browser, "too_large")
    assert f"{guarded}classify" not in browser.loaded()


def test_one_viewer_too_many_is_told_and_let_in_when_another_goes(
    server: Server, browser: Browser
) -> None:
    url = httpx.URL(server.url)
    others = [socket.create_connection((url.host, url.port or 0)) for _ in range(MOST_VIEWERS)]
    try:
        for other in others:
            other.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        for other in others:
            assert other.recv(12) == b"HTTP/1.1 200"
        browser.open(f"{server.url}/")
        browser.until(f"{STATE}.startsWith('{MOST_VIEWERS} viewers')")
    finally:
        for other in others:
            other.close()
    browser.until(f"{STATE} === 'live'")
