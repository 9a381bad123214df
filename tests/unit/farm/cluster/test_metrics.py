from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest

from farm.cluster.metrics import Metrics, families
from farm.cluster.overview import Overview, Queue, Run
from farm.errors import HubError
from tests.helpers.presences import a_board
from tests.helpers.promtool import promtool
from tests.helpers.support import ROOT
from tests.unit.farm.cluster.test_hub_picture import AT, hub

DOCS: Final = (ROOT / "docs/boards.md").read_text(encoding="utf-8")
ROW: Final = re.compile(r"^\| `(npu_farm_\w+)` \| (\w+) \| (.*?)\|(?: .+) \|$", re.M)
SCRAPE, RULES = re.findall(r"```yaml\n(.*?)```", DOCS, re.S)
SEEN = hub(
    a_board("rock"),
    a_board("fake", simulated=True, model="net", npu_load=None, hottest=None),
    runs=(Run(run="a" * 20, jobs=0, results=12),),
    queues=(Queue(queue="0" * 24, model="glyphs", simulated=False, waiting=7, in_flight=2),),
    refused={"no": 1},
    strays=3,
)


class Looks:
    """Stands in for a watcher whose hub is as given, or gone."""

    def __init__(self, seen: Overview | None) -> None:
        self._seen = seen

    def newest(self) -> Overview:
        if self._seen is None:
            raise HubError("gone")
        return self._seen


def text_of(seen: Overview | None) -> str:
    registry = CollectorRegistry()
    registry.register(Metrics(Looks(seen)))  # type: ignore[arg-type]
    return generate_latest(registry).decode()


def values() -> dict[str, float]:
    return {
        f"{sample.name}{sorted(sample.labels.values())}": sample.value
        for family in families(SEEN, AT + 2.0)
        for sample in family.samples
    }


def test_each_board_has_its_figures() -> None:
    found = values()
    prefix = "npu_farm_cluster_board"
    assert found[f"{prefix}_images_total{['false', 'ok', 'rock', 'rock']}"] == 12_345
    assert found[f"{prefix}_images_total{['failed', 'false', 'rock', 'rock']}"] == 2
    assert found[f"{prefix}_images_per_second{['false', 'glyphs', 'rock', 'rock']}"] == 812.5
    assert found[f"{prefix}_npu_load_ratio{['1', 'false', 'rock', 'rock']}"] == 0.85
    assert found[f"{prefix}_temperature_celsius{['rock', 'rock']}"] == 61.5
    assert found[f"{prefix}_age_seconds{['rock', 'rock']}"] == 3.0


def test_what_is_not_known_is_missing() -> None:
    found = values()
    assert not any("npu_load" in name and "fake" in name for name in found)
    assert not any("temperature" in name and "fake" in name for name in found)


def test_work_is_counted_by_model() -> None:
    found = values()
    assert found["npu_farm_cluster_boards['false', 'glyphs']"] == 1
    assert found["npu_farm_cluster_boards['net', 'true']"] == 1
    assert found["npu_farm_cluster_jobs_waiting['false', 'glyphs']"] == 7
    assert found["npu_farm_cluster_jobs_in_flight['false', 'glyphs']"] == 2
    assert found["npu_farm_cluster_results_waiting[]"] == 12
    assert found["npu_farm_cluster_store_limit_bytes['jobs']"] == 1 << 30
    assert found["npu_farm_cluster_boards_refused[]"] == 1
    assert found["npu_farm_cluster_stray_messages[]"] == 3


def test_a_hub_that_is_away_has_no_figures() -> None:
    for seen in (None, SEEN):  # which is of long ago
        lines = [line for line in text_of(seen).splitlines() if not line.startswith("#")]
        assert lines == ["npu_farm_cluster_up 0.0"]


def test_prometheus_takes_them() -> None:
    registry = CollectorRegistry()

    class Shown:
        collect = staticmethod(lambda: families(SEEN, AT))

    registry.register(Shown())
    text = generate_latest(registry)
    assert promtool("check", "metrics", data=text) == ""


def test_the_page_names_them_all() -> None:
    rows = {
        name: (kind, set(re.findall(r"`(\w+)`", labels)))
        for name, kind, labels in ROW.findall(DOCS)
    }
    found = {
        sample.name: (family.type, set(sample.labels))
        for family in families(SEEN, AT)
        for sample in family.samples
        if not sample.name.endswith("_created")
    }
    assert rows == {**found, "npu_farm_cluster_up": ("gauge", set())}


CALM: Final = {
    'up{job="npu-farm-hub",instance="hub"}': "1x20",
    'npu_farm_cluster_up{job="npu-farm-hub",instance="hub"}': "1x20",
    'npu_farm_cluster_jobs_waiting{model="glyphs",instance="hub"}': "100x20",
    'npu_farm_cluster_jobs_waiting{model="",instance="hub"}': "0x20",
    'npu_farm_cluster_store_bytes{store="jobs",instance="hub"}': "10x20",
    'npu_farm_cluster_store_limit_bytes{store="jobs",instance="hub"}': "100x20",
}


@pytest.mark.parametrize(
    ("alert", "which", "values"),
    [
        (None, 0, "1x20"),
        ("NpuFarmHubDown", 0, "0x20"),
        ("NpuFarmHubDown", 1, "0x20"),
        ("NpuFarmJobsWithoutBoard", 3, "1x20"),
        ("NpuFarmHubFull", 4, "95x20"),
    ],
)
def test_each_rule_rings_when_it_should(
    alert: str | None, which: int, values: str, tmp_path: Path
) -> None:
    (tmp_path / "rules.yml").write_text(RULES)
    (tmp_path / "scrape.yml").write_text(SCRAPE.replace("npu-farm-hub-rules.yml", "rules.yml"))
    promtool("check", "config", str(tmp_path / "scrape.yml"))
    series = {**CALM, list(CALM)[which]: values}
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": each} for name, each in series.items()],
        "promql_expr_test": [
            {
                "expr": f'count(ALERTS{{alertname="{name}", alertstate="firing"}}) or vector(0)',
                "eval_time": "20m",
                "exp_samples": [{"labels": "{}", "value": int(name == alert)}],
            }
            for name in [rule["alert"] for rule in yaml.safe_load(RULES)["groups"][0]["rules"]]
        ],
    }
    wanted = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": [test]}
    (tmp_path / "test.yml").write_text(yaml.safe_dump(wanted))
    promtool("test", "rules", str(tmp_path / "test.yml"))
