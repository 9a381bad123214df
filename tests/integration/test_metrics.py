"""`/metrics` of a real service."""

from __future__ import annotations

import re
from pathlib import Path

import httpx

from tests.helpers.promtool import promtool
from tests.helpers.server import GLYPHS, serving


def test_a_service_is_scraped(renders: list[Path]) -> None:
    with serving(*GLYPHS) as server, httpx.Client(base_url=server.url) as client:
        client.post("/classify", content=renders[0].read_bytes()).raise_for_status()
        assert client.get("/nowhere").status_code == 404
        text = client.get("/metrics").text
        assert re.search(r'^npu_farm_build_info\{.*version="\d', text, re.M)
        for method, path, status in (("POST", "/classify", 200), ("GET", "other", 404)):
            labels = f'method="{method}",path="{path}",status="{status}"'
            assert f"npu_farm_http_requests_total{{{labels}}} 1.0\n" in text
        assert promtool("check", "metrics", data=text.encode()) == ""
