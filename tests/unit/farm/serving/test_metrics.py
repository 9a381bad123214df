from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from farm.serving.metrics import CountedRequests, Metrics
from tests.helpers.promtool import promtool
from tests.helpers.snapshots import a_snapshot
from tests.helpers.support import ROOT

DOCS: Final = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")
SCRAPE, RULES = re.findall(r"```yaml\n(.*?)```", DOCS, re.S)
OPENMETRICS: Final = "application/openmetrics-text; version=1.0.0"


def counts(metrics: Metrics) -> dict[tuple[str, ...], float]:
    """Requests by method, path and status."""
    return {
        (sample.labels["method"], sample.labels["path"], sample.labels["status"]): sample.value
        for family in metrics.collect()
        for sample in family.samples
        if sample.name == "npu_farm_http_requests_total"
    }


@pytest.mark.parametrize("simulated", [True, False])
def test_promtool_has_nothing_to_say(*, simulated: bool) -> None:
    metrics = Metrics(lambda: a_snapshot(simulated=simulated))
    metrics.count("GET", "/metrics", 200)
    text, kind = metrics.answer("")
    assert kind.startswith("text/plain; version=0.0.4")
    assert promtool("check", "metrics", data=text) == ""


def test_openmetrics_for_who_asks_for_it() -> None:
    text, kind = Metrics(a_snapshot).answer(OPENMETRICS)
    assert kind.startswith("application/openmetrics-text; version=1.0.0")
    read = text_string_to_metric_families(text.decode())  # type: ignore[no-untyped-call]
    families = {family.name for family in read}
    assert {"npu_farm", "npu_farm_images", "npu_farm_image_stage_seconds"} <= families


def test_a_server_without_a_snapshot_says_what_it_knows() -> None:
    text, _ = Metrics(lambda: None).answer("")
    assert b"npu_farm_build_info" in text
    assert b"npu_farm_images" not in text


def test_two_servers_in_a_process_do_not_meet() -> None:
    """Nothing is registered globally, where names may be there once only."""
    first, second = Metrics(a_snapshot), Metrics(a_snapshot)
    first.count("GET", "/", 200)
    assert counts(first) == {("GET", "/", "200"): 1}
    assert counts(second) == {}


def test_what_clients_invent_makes_no_series_of_its_own() -> None:
    metrics = Metrics(a_snapshot)
    for number in range(100):
        metrics.count(f"METHOD{number}", "", 404)
    assert counts(metrics) == {("other", "other", "404"): 100}


async def asked(app: Starlette, method: str, path: str) -> int:
    """The status of an app's answer."""
    said: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        said.append(message)

    scope = {"type": "http", "method": method, "path": path, "headers": [], "query_string": b""}
    await app(scope, receive, send)
    return int(said[0]["status"])


def test_requests_are_counted_by_route_and_status() -> None:
    async def named(request: Request) -> Response:
        return Response(request.path_params["name"])

    async def broken(_: Request) -> Response:
        raise ZeroDivisionError

    metrics = Metrics(a_snapshot)
    paths = {"/models/{name}": named, "/models/{name}/also": named, "/broken": broken}
    routes = [Route(path, endpoint) for path, endpoint in paths.items()]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(CountedRequests, metrics=metrics, routes=routes)],
    )
    for name in ("a", "b", "c/also"):
        assert asyncio.run(asked(app, "GET", f"/models/{name}")) == 200
    assert asyncio.run(asked(app, "DELETE", "/models/a")) == 405
    assert asyncio.run(asked(app, "GET", "/etc/passwd")) == 404
    with pytest.raises(ZeroDivisionError):
        asyncio.run(asked(app, "GET", "/broken"))
    assert counts(metrics) == {
        ("GET", "/models/{name}", "200"): 3,
        ("DELETE", "/models/{name}", "405"): 1,
        ("GET", "other", "404"): 1,
        ("GET", "/broken", "500"): 1,
    }


def test_the_documented_scrape_is_one(tmp_path: Path) -> None:
    (tmp_path / "prometheus.yml").write_text(SCRAPE)
    (tmp_path / "npu-farm-rules.yml").write_text(RULES)
    (tmp_path / "npu-farm.token").write_text("token")
    promtool("check", "config", str(tmp_path / "prometheus.yml"))


def test_the_documented_rules_are_rules(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yml"
    rules.write_text(RULES)
    assert "3 rules found" in promtool("check", "rules", str(rules))


INSTANCE: Final = 'instance="board:8000", job="npu-farm"'
BUCKET: Final = f'npu_farm_image_latency_seconds_bucket{{{INSTANCE}, simulated="false"'
CALM: Final = {
    f"up{{{INSTANCE}}}": "1x20",
    f'npu_farm_workers{{{INSTANCE}, state="up"}}': "3x20",
    f"npu_farm_worker_losses_total{{{INSTANCE}}}": "5x20",
    f'{BUCKET}, le="0.5"}}': "0+99x20",
    f'{BUCKET}, le="2.5"}}': "0+100x20",
    f'{BUCKET}, le="+Inf"}}': "0+100x20",
}
SLOW: Final = {list(CALM)[3]: "0+50x20"}


@pytest.mark.parametrize(
    ("alert", "changed"),
    [
        (None, {}),
        ("NpuFarmDown", {next(iter(CALM)): "0x20"}),
        ("NpuFarmDown", {list(CALM)[1]: "0x20"}),
        ("NpuFarmLosesWorkers", {list(CALM)[2]: "0+1x20"}),
        ("NpuFarmSlow", SLOW),
    ],
)
def test_each_rule_rings_when_it_should(
    alert: str | None, changed: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "rules.yml").write_text(RULES)
    names = [rule["alert"] for rule in yaml.safe_load(RULES)["groups"][0]["rules"]]
    test = {
        "interval": "1m",
        "input_series": [
            {"series": name, "values": values} for name, values in {**CALM, **changed}.items()
        ],
        "promql_expr_test": [
            {
                "expr": f'count(ALERTS{{alertname="{name}", alertstate="firing"}}) or vector(0)',
                "eval_time": "20m",
                "exp_samples": [{"labels": "{}", "value": int(name == alert)}],
            }
            for name in names
        ],
    }
    wanted = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": [test]}
    (tmp_path / "test.yml").write_text(yaml.safe_dump(wanted))
    promtool("test", "rules", str(tmp_path / "test.yml"))
