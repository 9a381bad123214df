"""The page of a run, as a browser shows it and as the command makes it."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import pytest

from farm.pictures import gallery
from farm.results.result import DetectedObject, Prediction, Result
from farm.results.truth import by_pattern
from tests.helpers.browser import Browser, chromium
from tests.helpers.looks import HOSTILE, make_page, result
from tests.helpers.programs import FAST, HOST, PROGRAM, Programs, command
from tests.helpers.support import PATIENCE, wait_for

LABELS = ("tench", "eel", "crow, raven")
CARDS = "#grid > li"
INSIDE = "[...document.querySelectorAll('.shot')].every((x) => x.scrollWidth <= x.clientWidth)"
TAGS_INSIDE = """
    const frame = document.querySelector('#frame').getBoundingClientRect();
    return [...document.querySelectorAll('#frame .tag')].every((tag) => {
        const { left, right, top } = tag.getBoundingClientRect();
        return left >= frame.left - 1 && right <= frame.right + 1 && top >= frame.top - 1;
    });
"""
DRAWN = 20  # cards in a window of 1280x800
SHOWN = "[...document.querySelectorAll('#grid > li')].map((li) => li.querySelector('.path').title)"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("profile")) as started:
        yield started


def classified(renders: list[Path], folder: Path) -> list[Result]:
    """30 answers, each third of another class, every fifth wrong, and an error of two kinds."""
    made = []
    for at in range(30):
        link = folder / f"{LABELS[at % 3][:4]}-{at}.jpg"
        link.symlink_to(renders[at])
        best = (at + (at % 5 == 0)) % 3
        top = tuple(
            Prediction((best + k) % 3, LABELS[(best + k) % 3], (0.9 - 0.01 * at) / 2**k)
            for k in range(3)
        )
        made.append(result(link, id=at, top5=top))
    made[7] = result(folder / "gone.jpg", id=7, error=("missing", "no such file"))
    made[8] = result(folder / "text.jpg", id=8, error=("not_an_image", "it is text"))
    return made


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, renders: list[Path]) -> Path:
    folder = tmp_path_factory.mktemp("page")
    truth = by_pattern(r"/(tenc|eel|crow)-")
    full = {"tenc": "tench", "eel": "eel", "crow": "crow, raven"}
    results = classified(renders, folder)
    return make_page(
        folder / "a page.html",
        results,
        truth=lambda path: None if (found := truth(path)) is None else full[found],
    )


def test_it_loads_nothing_and_nothing_is_refused(page: Path, browser: Browser) -> None:
    browser.open(page)
    assert browser.run(f"return document.querySelectorAll('{CARDS}').length") > 5
    assert browser.run("return [...document.images].every((image) => image.naturalWidth > 0)")
    assert browser.loaded() == [page.as_uri()]
    assert browser.complaints() == []


def test_the_policy_holds(page: Path, browser: Browser) -> None:
    """Else no complaints would mean nothing."""
    browser.open(page)
    browser.run(
        "window.broken = false; const script = document.createElement('script');"
        "script.textContent = 'window.broken = true'; document.body.append(script);"
        "document.body.setAttribute('style', 'color: red');"
        "new Image().src = 'http://127.0.0.1:9/a.png'; fetch('http://127.0.0.1:9/').catch(() => 0)"
    )
    assert browser.run("return window.broken") is False
    complaints: list[str] = []

    def all_are_there() -> bool:
        complaints.extend(browser.complaints())
        said = "\n".join(complaints)
        return all(f"{kind}-src" in said for kind in ("script", "style", "img", "connect"))

    assert wait_for(all_are_there), complaints


def count(browser: Browser) -> str:
    return str(browser.run("return document.getElementById('count').textContent"))


def press(browser: Browser, state: str) -> None:
    browser.run("document.querySelector(`button[value='${arguments[0]}']`).click()", state)


def choose(browser: Browser, field: str, value: str) -> None:
    browser.run(
        "const field = document.getElementById(arguments[0]); field.value = arguments[1];"
        "field.dispatchEvent(new Event(field.tagName === 'INPUT' ? 'input' : 'change'))",
        field,
        value,
    )


def test_filters_alone_and_together(page: Path, browser: Browser) -> None:
    browser.open(page)
    labels = "return [...document.querySelectorAll('#states button')].map((b) => b.textContent)"
    assert browser.run(labels) == [
        "All30",
        "✓ Right22",
        "✗ Wrong6",
        "⚠ Errors2",
        "missing1",
        "not_an_image1",
    ]
    assert count(browser) == "30 images"
    for state, images in (("wrong", 6), ("right", 22), ("errors", 2), ("error missing", 1)):
        press(browser, state)
        assert count(browser) == f"{images} of 30 images"
        assert len(browser.run(f"return {SHOWN}")) == min(images, DRAWN)
    press(browser, "all")
    options = "return [...document.getElementById('class').options].map((o) => o.textContent)"
    assert sorted(browser.run(options)) == ["all 3", "crow (9)", "eel (9)", "tench (10)"]
    choose(browser, "class", "1")
    assert count(browser) == "9 of 30 images"
    press(browser, "wrong")
    assert count(browser) == "2 of 30 images"
    choose(browser, "text", "TENC-")
    assert count(browser) == "2 of 30 images"
    choose(browser, "text", "crow-")
    assert count(browser) == "0 of 30 images"
    assert browser.run("return document.getElementById('nothing').hidden") is False
    browser.run("document.getElementById('reset').click()")
    assert count(browser) == "30 images"


def test_orders(page: Path, browser: Browser) -> None:
    browser.open(page)
    names = f"return {SHOWN}.map((path) => path.split('/').pop()).slice(0, 3)"
    assert browser.run(names) == ["tenc-0.jpg", "eel-1.jpg", "crow-2.jpg"]
    choose(browser, "order", "path")
    assert browser.run(names) == ["crow-2.jpg", "crow-5.jpg", "crow-11.jpg"]  # 8 has another name
    choose(browser, "order", "low")
    assert browser.run(names) == ["crow-29.jpg", "eel-28.jpg", "tenc-27.jpg"]
    choose(browser, "order", "high")
    assert browser.run(names) == ["tenc-0.jpg", "eel-1.jpg", "crow-2.jpg"]
    press(browser, "errors")
    assert len(browser.run(names)) == 2  # without a score, and there


def test_a_card_opens_large_and_arrows_lead_on(page: Path, browser: Browser) -> None:
    browser.open(page)
    opened = "document.getElementById('viewer').open"
    path = "return document.getElementById('viewer-path').textContent.split('/').pop()"
    browser.run("document.querySelectorAll('#grid button')[1].click()")
    browser.until(opened)
    assert browser.run(path) == "eel-1.jpg"
    browser.until("document.querySelector('#frame img').naturalWidth > 256")  # the image itself
    browser.key("ArrowRight")
    assert browser.run(path) == "crow-2.jpg"
    for _ in range(3):
        browser.key("ArrowLeft")
    assert browser.run(path) == "tenc-0.jpg"
    browser.key("End")
    assert browser.run(path) == "crow-29.jpg"
    browser.key("Escape")
    browser.until(f"!{opened}")
    # Its `close` event, which gives the focus back, comes a little later.
    browser.until("document.activeElement.querySelector('.path')?.title.endsWith('crow-29.jpg')")
    assert browser.complaints() == []


def test_arrows_lead_on_from_both_ends(page: Path, browser: Browser) -> None:
    """There, a button is switched off: if it has the focus, the browser takes it away."""
    browser.open(page)
    place = "document.getElementById('place').textContent"
    focused = "!document.activeElement.disabled && document.activeElement !== document.body"
    browser.run("document.querySelector('#grid button').click()")
    for key, at in (("End", 30), ("ArrowLeft", 29), ("Home", 1), ("ArrowRight", 2)):
        browser.key(key)
        browser.until(f"{place} === '{at} of 30'")
        browser.run("return new Promise((drawn) => requestAnimationFrame(() => drawn(0)))")
        assert browser.run(f"return {focused}")
    browser.key("Escape")
    choose(browser, "text", "crow-29")
    browser.run("document.querySelector('#grid button').click()")
    assert browser.run("return document.activeElement.id") == "close"


def test_a_page_without_its_images_shows_thumbnails(
    page: Path, browser: Browser, tmp_path: Path
) -> None:
    moved = tmp_path / "moved.html"
    moved.write_bytes(page.read_bytes())
    browser.open(moved)
    browser.run("document.querySelectorAll('#grid button')[1].click()")
    browser.until("document.querySelector('#frame img').naturalWidth > 0")
    assert browser.run("return document.querySelector('#frame img').naturalWidth") <= 256


@pytest.mark.parametrize("width", [320, 360, 400, 768, 1920])
def test_no_width_needs_to_scroll_sideways(page: Path, browser: Browser, width: int) -> None:
    browser.open(page, width=width)
    assert browser.run("return document.documentElement.scrollWidth") <= width
    browser.run("document.querySelectorAll('#grid button')[1].click()")
    assert browser.run("return document.getElementById('viewer').scrollWidth") <= width
    assert browser.run("return document.querySelector('.large').scrollWidth") <= width


def test_dark_where_the_system_is_and_by_the_button(page: Path, browser: Browser) -> None:
    ground = "return getComputedStyle(document.body).backgroundColor"
    light, dark = "rgb(255, 255, 255)", "rgb(15, 20, 25)"
    for system, first, second in ((False, light, dark), (True, dark, light)):
        browser.open(page, dark=system)
        assert browser.run(ground) == first
        browser.run("document.getElementById('theme').click()")
        assert browser.run(ground) == second
        browser.run("document.getElementById('theme').click()")
        assert browser.run(ground) == first


def test_names_are_seen_and_not_obeyed(browser: Browser, tmp_path: Path) -> None:
    top = tuple(Prediction(at, text, 0.5) for at, text in enumerate(HOSTILE[:5]))
    results = [
        *(result(text, id=at, error=("missing", text)) for at, text in enumerate(HOSTILE)),
        result("a.jpg", id=90, top5=top),
        result("b.jpg", id=91, output={"<b>": "</script><script>alert(1)</script>"}),
    ]
    browser.open(make_page(tmp_path / "a.html", results), width=360)
    assert browser.run("return document.scripts.length") == 3
    assert browser.run("return document.documentElement.scrollWidth") <= 360
    for at in range(0, len(results) * 172, 600):  # the height of a card at this width, and a gap
        browser.run("scrollTo(0, arguments[0])", at)
        browser.until(INSIDE)
    browser.run("scrollTo(0, 0)")
    browser.until(f"{SHOWN}[0] === arguments[0]", HOSTILE[0])
    seen = "return document.querySelector('#about').textContent"
    browser.run("document.querySelector('#grid button').click()")
    assert HOSTILE[0] in browser.run(seen)
    browser.key("End")
    assert "alert(1)" in browser.run(seen)
    assert browser.run("return document.scripts.length") == 3
    assert browser.complaints() == []


def test_boxes_are_not_drawn_on_another_picture(
    browser: Browser, tmp_path: Path, renders: list[Path]
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(renders[0].read_bytes())
    image = cv2.imread(str(path))
    assert image is not None
    size = image.shape[1], image.shape[0]
    bus = DetectedObject(5, "bus", 0.9, (100.0, 50.0, 300.0, 150.0))
    page = make_page(tmp_path / "a.html", [result(path, objects=(bus,), size=size)])
    sharp = f"document.querySelector('#frame img').naturalWidth === {size[0]}"
    browser.open(page)
    browser.run("document.querySelector('#grid button').click()")
    browser.until(sharp)
    cv2.imwrite(str(path), image[::2])
    browser.open(page)
    browser.run("document.querySelector('#grid button').click()")
    browser.run("window.tried = new Image(); tried.src = CARDS[0].file")
    browser.until("tried.naturalWidth > 0")
    assert browser.run(f"return {sharp}") is False


def test_boxes_are_where_the_objects_are(
    browser: Browser, tmp_path: Path, renders: list[Path]
) -> None:
    path, image = tmp_path / "a.jpg", cv2.imread(str(renders[0]))
    assert image is not None
    cv2.imwrite(str(path), cv2.resize(image, (400, 200)))
    objects = (
        DetectedObject(5, "bus", 0.9, (100.0, 50.0, 300.0, 150.0)),
        DetectedObject(0, "person", 0.5, (0.0, 0.0, 20.0, 20.0)),
        DetectedObject(0, "person", 0.4, (380.0, 180.0, 400.0, 200.0)),
    )
    found = result(path, objects=objects, size=(400, 200))
    nothing = replace(found, id=1, objects=())
    browser.open(make_page(tmp_path / "a.html", [found, nothing]))
    text = "return [...document.querySelectorAll('#grid .text')].map((each) => each.innerText)"
    assert browser.run(text)[0].split("\n")[1:] == ["bus 90.0 %", "person 50.0 % \u00d72"]
    assert browser.run(text)[1].endswith("nothing found")
    assert "in 1 of 2 images" in browser.run("return document.querySelector('.cards').innerText")
    browser.run("document.querySelector('#grid button').click()")
    place = """
        const [box, frame] = ['#frame .box[stroke="' + arguments[0] + '"]', '#frame'].map(
            (each) => document.querySelector(each).getBoundingClientRect());
        return [(box.left - frame.left) / frame.width, (box.top - frame.top) / frame.height,
                box.width / frame.width, box.height / frame.height];
    """
    bus = browser.run("return DATA.classes[5][1]")
    assert browser.run(place, bus) == pytest.approx([0.25, 0.25, 0.5, 0.5], abs=0.01)
    frame = "const frame = document.querySelector('#frame').getBoundingClientRect();"
    ratio = f"{frame} return frame.width / frame.height"
    assert browser.run(ratio) == pytest.approx(2, abs=0.02)
    assert browser.run(TAGS_INSIDE)


@pytest.mark.parametrize("left", [200.0, 390.0])
def test_a_long_name_stays_in_the_picture(
    left: float, browser: Browser, tmp_path: Path, renders: list[Path]
) -> None:
    long = DetectedObject(5, "long name " * 100, 0.9, (left, 50.0, left + 10, 150.0))
    path, image = tmp_path / "a.jpg", cv2.imread(str(renders[0]))
    assert image is not None
    cv2.imwrite(str(path), cv2.resize(image, (400, 200)))
    found = result(path, objects=(long,), size=(400, 200))
    browser.open(make_page(tmp_path / "a.html", [found]), width=360)
    browser.run("document.querySelector('#grid button').click()")
    assert browser.run("return document.querySelectorAll('#frame .tag').length") == 1
    assert browser.run(TAGS_INSIDE)


def test_simulated_is_said_on_every_card(
    browser: Browser, tmp_path: Path, renders: list[Path]
) -> None:
    top = (Prediction(3, None, 0.4),)
    results = [result(path, id=at, top5=top, simulated=True) for at, path in enumerate(renders[:4])]
    browser.open(make_page(tmp_path / "a.html", results))
    marks = "return [...document.querySelectorAll('#grid > li')].map((li) => li.innerText)"
    cards = browser.run(marks)
    assert len(cards) == 4
    assert all("simulated" in card and "class 3" in card for card in cards)


def test_5000_images_are_no_burden(
    browser: Browser, tmp_path: Path, renders: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their pictures are beside the page; only those in view are loaded, only those cards exist."""
    monkeypatch.setattr(gallery, "EMBEDDED", 1_000_000)
    monkeypatch.setattr(
        gallery, "write_thumbnail", lambda _, file: file.write_bytes(renders[0].read_bytes())
    )
    top = (Prediction(3, "tench", 0.4),)
    results = (result(f"photos/{at}.jpg", id=at, top5=top) for at in range(5000))
    browser.open(make_page(tmp_path / "a.html", results))
    assert count(browser) == "5000 images"
    cards = f"document.querySelectorAll('{CARDS}').length"
    assert 0 < browser.run(f"return {cards}") < 60
    assert len(browser.loaded()) < 61
    browser.run("scrollTo(0, document.body.scrollHeight)")
    browser.until(f"{SHOWN}.includes('photos/4999.jpg')")
    assert browser.run(f"return {cards}") < 60
    choose(browser, "text", "/499")
    assert count(browser) == "11 of 5000 images"
    browser.until(f"{SHOWN}[0] === 'photos/499.jpg'")
    assert browser.run(
        "return [...document.images].every((image) => image.src.includes('a_files'))"
    )


# The command.


def block(page: Path, name: str) -> Any:
    found = re.search(rf'id="{name}">(.*?)</script>', page.read_text(), re.S)
    assert found is not None
    return json.loads(found[1])


def test_a_run_makes_a_page_beside_its_results(folder: str, tmp_path: Path) -> None:
    page, results = tmp_path / "a.html", tmp_path / "a.jsonl"
    outputs = ("-o", str(results), "--html", str(page))
    done = command(HOST, "-d", folder, "-q", *outputs, "--truth", "_(.).jpg")
    assert done.returncode == 0, done.stderr
    cards = block(page, "cards")
    lines = [json.loads(line) for line in results.read_text().splitlines()]
    assert sorted(card["path"] for card in cards) == sorted(line["path"] for line in lines)
    assert all(card["thumb"] for card in cards)
    assert f"Written: {page}" in done.stderr
    again = command(HOST, "-d", folder, "-q", "--html", str(page))
    assert (again.returncode, "--overwrite" in again.stderr) == (2, True)
    replaced = command(HOST, "-d", folder, "-q", "--html", str(page), "--overwrite")
    assert replaced.returncode == 0, replaced.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.html", "a.jsonl"]


def test_a_run_that_a_signal_stops_makes_its_page(
    programs: Programs, folder: str, tmp_path: Path
) -> None:
    page, results = tmp_path / "a.html", tmp_path / "a.jsonl"
    process = programs.start(*PROGRAM, *FAST, "-d", folder, "-r", "10000", "-q",
                             "-o", str(results), "--html", str(page))  # fmt: skip
    assert wait_for(lambda: results.exists() and results.stat().st_size > 0)
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=PATIENCE)
    assert process.returncode == 128 + signal.SIGTERM, told
    done = len(results.read_text().splitlines())
    assert f"stopped by a signal after {done} of 720000 images" in page.read_text()
    assert len(block(page, "cards")) == min(done, 10_000)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name[0] == ".") == []
