"""The live page, as a browser shows what a real service sends."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.helpers.browser import Browser, chromium
from tests.helpers.server import GLYPHS, Server, serving

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


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_an_image_gets_its_answer_and_nobody_else_is_asked(
    server: Server, browser: Browser, renders: list[Path], *, dark: bool
) -> None:
    browser.open(f"{server.url}/", dark=dark)
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
