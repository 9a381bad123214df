"""A headless Chromium, with what it loads and what it complains of."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from tests.helpers.support import wait_for

FLAGS: Final = (
    *("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "hide-scrollbars"),
    *("disable-background-networking", "disable-component-update", "disable-sync"),
    "host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # no test looks any name up
)


class Browser:
    """One window of Chromium."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self._driver = driver

    def open(self, page: Path | str, *, width: int = 1280, dark: bool = False) -> None:
        """Open a page in a window of this width, as one who prefers light or dark."""
        size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
        self.tell("Emulation.setDeviceMetricsOverride", **size)
        prefers = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.tell("Emulation.setEmulatedMedia", features=[prefers])
        self._driver.get("about:blank")  # what was loaded and said until now is of another page
        self._log("performance")
        self._log("browser")
        self._driver.get(page.as_uri() if isinstance(page, Path) else page)

    def tell(self, command: str, **values: Any) -> Any:
        """Send a command of the DevTools protocol."""
        return self._driver.execute_cdp_cmd(command, values)

    def run(self, script: str, *values: Any) -> Any:
        """Return what a script in the page returns."""
        return self._driver.execute_script(script, *values)

    def until(self, script: str, *values: Any) -> None:
        """Wait until an expression is true in the page."""
        assert wait_for(lambda: self.run(f"return {script}", *values)), script

    def choose(self, field: str, file: Path) -> None:
        """Choose a file in the field with this id."""
        self._driver.find_element("id", field).send_keys(str(file))

    def key(self, name: str) -> None:
        """Press and release a key."""
        for kind in ("rawKeyDown", "keyUp"):
            code = {"Escape": 27, "Tab": 9}.get(name, 0)
            self.tell("Input.dispatchKeyEvent", type=kind, key=name, windowsVirtualKeyCode=code)

    def _log(self, kind: str) -> Any:
        return self._driver.get_log(kind)  # type: ignore[no-untyped-call]

    def complaints(self) -> list[str]:
        """Return what is in the console, and what the policy has refused."""
        return [entry["message"] for entry in self._log("browser")]

    def loaded(self) -> list[str]:
        """Return the URLs that were asked for, but those of data."""
        said = [json.loads(each["message"])["message"] for each in self._log("performance")]
        asked = [
            each["params"]["request"]["url"]
            for each in said
            if each["method"] == "Network.requestWillBeSent"
        ]
        return [url for url in asked if not url.startswith("data:")]


@contextmanager
def chromium(profile: Path) -> Iterator[Browser]:
    """Start Chromium with an empty profile; skip the test where there is none."""
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("no chromium here, or no chromedriver: apt install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for flag in (*FLAGS, f"user-data-dir={profile}"):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    started = webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield Browser(started)
    finally:
        started.quit()
