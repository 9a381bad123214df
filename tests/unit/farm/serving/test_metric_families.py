from __future__ import annotations

import re
from typing import Any, Final

from msgspec.structs import replace
from prometheus_client.core import Metric

from farm.scheduler.lifecycle import State
from farm.serving.metric_families import families
from farm.serving.metrics import Metrics
from farm.watch.snapshot import BOUNDS_MS, Snapshot, WorkerFacts
from tests.helpers.snapshots import a_farm, a_snapshot, a_stage, a_worker
from tests.helpers.support import ROOT

DOCS: Final = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")
ROW: Final = re.compile(r"^\| `(npu_farm_\w+)` \| (\w+) \| (.*?)\|(?: .+) \|$", re.M)


def series(snapshot: Snapshot) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every value by its name and labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families(snapshot)
        for sample in family.samples
    }


def value(snapshot: Snapshot, name: str, **labels: str) -> float:
    return series(snapshot)[f"npu_farm_{name}", tuple(sorted(labels.items()))]


def with_workers(*workers: WorkerFacts, **farm: Any) -> Snapshot:
    return replace(a_snapshot(), farm=replace(a_farm(**farm), workers=workers))


def test_figures_are_in_base_units() -> None:
    stages = {"infer": a_stage(2.6), "total": a_stage(25.0)}
    snapshot = with_workers(a_worker(0, memory_mb=2.0), stages=stages)
    name = "image_stage_seconds"
    labels = {"stage": "infer", "simulated": "false"}
    assert value(snapshot, f"{name}_bucket", le="0.0025", **labels) == 0
    assert value(snapshot, f"{name}_bucket", le="0.005", **labels) == 1000
    assert value(snapshot, f"{name}_bucket", le="+Inf", **labels) == 1000
    assert value(snapshot, f"{name}_count", **labels) == 1000
    assert value(snapshot, f"{name}_sum", **labels) == 2.6
    assert value(snapshot, "image_latency_seconds_sum", simulated="false") == 25.0
    assert value(snapshot, "worker_memory_bytes", worker="0", npu_core="0") == 2 * 2**20
    assert value(snapshot, "board_clock_hertz", clock="NPU") == 1e9
    assert value(snapshot, "board_temperature_celsius", zone="npu-thermal") == 61.5
    assert value(snapshot, "npu_load_ratio", npu_core="1", simulated="false") == 0.85


def test_the_sum_over_all_stages_counts_no_time_twice() -> None:
    stages = {dict(labels).get("stage") for _, labels in series(a_snapshot())}
    assert "total" not in stages


def test_buckets_rise_to_the_count() -> None:
    for family in families(a_snapshot()):
        by_labels: dict[str, list[tuple[float, float]]] = {}
        for sample in family.samples:
            if sample.name.endswith("_bucket"):
                le = float(sample.labels["le"])
                by_labels.setdefault(sample.labels.get("stage", ""), []).append((le, sample.value))
        for buckets in by_labels.values():
            assert [le for le, _ in buckets] == [*(ms / 1000 for ms in BOUNDS_MS), float("inf")]
            assert [count for _, count in buckets] == sorted(count for _, count in buckets)


def test_every_state_has_its_number_of_workers() -> None:
    workers = (a_worker(0), a_worker(1), a_worker(2, state=State.LOST.value))
    snapshot = with_workers(*workers)
    counts = {state: value(snapshot, "workers", state=state.value) for state in State}
    assert counts == {**dict.fromkeys(State, 0), State.UP: 2, State.LOST: 1}


def test_figures_of_a_simulated_npu_say_so() -> None:
    """All that depend on how fast the NPU is."""
    names = ("images_total", "image_stage_seconds", "image_latency_seconds", "npu_load_ratio")
    for made_up in ("true", "false"):
        labelled = {
            name: dict(labels).get("simulated")
            for name, labels in series(a_snapshot(simulated=made_up == "true"))
        }
        for name in (*names, "worker_images_total", "info"):
            found = {said for key, said in labelled.items() if key.startswith(f"npu_farm_{name}")}
            assert found == {made_up}, name


def test_a_board_without_a_farm_has_its_metrics() -> None:
    alone = replace(a_snapshot(), farm=None)
    assert {name.split("_")[2] for name, _ in series(alone)} == {"board", "snapshot"}


def test_what_is_not_known_is_missing() -> None:
    """A zero would be a figure."""
    worker = a_worker(0, memory_mb=0.0, npu_core=None)
    snapshot = with_workers(worker, npu_load=None, no_npu_load="no permission")
    names = {name for name, _ in series(snapshot)}
    assert not names & {"npu_farm_npu_load_ratio", "npu_farm_worker_memory_bytes"}
    assert value(snapshot, "worker_images_total", worker="0", npu_core="", simulated="false") == 300


def names_of(metric: Metric) -> str:
    return metric.name + {"counter": "_total", "info": "_info"}.get(metric.type, "")


def test_the_documentation_has_every_metric() -> None:
    metrics = Metrics(a_snapshot)
    metrics.count("GET", "/", 200)
    found = {
        names_of(metric): (
            "gauge" if metric.type == "info" else metric.type,
            {label for sample in metric.samples for label in sample.labels} - {"le"},
        )
        for metric in metrics.collect()
    }
    documented = {
        name: (kind, set(re.findall(r"`(\w+)`", labels)))
        for name, kind, labels in ROW.findall(DOCS)
    }
    assert documented == found
