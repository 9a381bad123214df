"""`hub --metrics`: a hub and its boards for Prometheus."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from farm.cluster.access import Access
from farm.cluster.hub_watcher import HubWatcher
from farm.cluster.overview import Overview, models
from farm.cluster.roster import Seen
from farm.cluster.streams import PRESENCE_SECONDS
from farm.errors import ConfigError, FarmError
from farm.watch.prometheus import PREFIX, SIMULATED, gauge, labelled, truth

if TYPE_CHECKING:
    from prometheus_client.core import Metric

EVERY_SECONDS: Final = 5.0  # between two looks; Prometheus asks every 15 s or more rarely
CLUSTER: Final = "cluster"
BOARD: Final = ("board", "id")
MODEL: Final = ("model", SIMULATED)


class Metrics:
    """Shows what a watcher sees of its hub; it is a Collector."""

    def __init__(self, hub: HubWatcher) -> None:
        self._hub = hub

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics, as the registry asks for them; without news, only that it is so."""
        try:
            seen = self._hub.newest()
        except FarmError:
            seen = None
        now = time.time()
        fresh = seen is not None and now - seen.at < PRESENCE_SECONDS
        yield gauge(f"{CLUSTER}_up", "Whether the hub tells what it holds; 0 or 1.", fresh)
        if seen is not None and fresh:
            yield from families(seen, now)


@contextmanager
def serve_metrics(access: Access, host: str, port: int) -> Iterator[int]:
    """Answer Prometheus at a hub's side during the block; yield the port, a free one for 0.

    Raises HubError where the hub can't be reached, ConfigError for a port that can't be had.
    """
    with HubWatcher(access, "npu-farm hub --metrics", EVERY_SECONDS) as hub:
        registry = CollectorRegistry()  # our own: nothing of this process's is global
        registry.register(Metrics(hub))
        ProcessCollector(registry=registry)
        try:
            server, thread = start_http_server(port, host, registry)
        except OSError as error:
            raise ConfigError(f"metrics at {host}, port {port}: {error.strerror}") from error
        try:
            yield server.server_port
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def families(seen: Overview, now: float) -> Iterator[Metric]:
    """Yield the metrics of a hub, `now` in seconds since 1970."""
    yield from work_families(seen)
    yield from store_families(seen)
    yield from board_families(seen.boards)
    yield labelled(
        GaugeMetricFamily(
            f"{PREFIX}_{CLUSTER}_board_age_seconds",
            "How long ago each board said something, by the hub's clock.",
            labels=BOARD,
        ),
        [(which(each), each.age + now - seen.at) for each in seen.boards],
    )


def work_families(seen: Overview) -> Iterator[Metric]:
    """Yield what boards serve and what waits for them, by model, and what waits for senders."""
    found = [((each.model or "", truth(each.simulated)), each) for each in models(seen)]
    yield labelled(
        GaugeMetricFamily(
            f"{PREFIX}_{CLUSTER}_boards", "Boards that are there, by what they serve.", labels=MODEL
        ),
        [(labels, each.boards) for labels, each in found],
    )
    yield labelled(
        GaugeMetricFamily(
            f"{PREFIX}_{CLUSTER}_jobs_waiting",
            "Jobs (several images each) that no board holds; model is empty if none serves it.",
            labels=MODEL,
        ),
        [(labels, each.waiting) for labels, each in found],
    )
    yield labelled(
        GaugeMetricFamily(
            f"{PREFIX}_{CLUSTER}_jobs_in_flight", "Jobs that boards hold.", labels=MODEL
        ),
        [(labels, each.in_flight) for labels, each in found],
    )
    results = sum(run.results for run in seen.runs)
    yield gauge(f"{CLUSTER}_runs", "Runs of which the hub holds jobs or results.", len(seen.runs))
    yield gauge(f"{CLUSTER}_results_waiting", "Messages that wait for their senders.", results)


def store_families(seen: Overview) -> Iterator[Metric]:
    """Yield how full the hub is, and what is there that nobody can use."""
    yield labelled(
        GaugeMetricFamily(
            f"{PREFIX}_{CLUSTER}_store_bytes", "Bytes that the hub holds.", labels=("store",)
        ),
        [((each.name,), each.used) for each in seen.stores],
    )
    yield labelled(
        GaugeMetricFamily(
            f"{PREFIX}_{CLUSTER}_store_limit_bytes", "Bytes it may hold.", labels=("store",)
        ),
        [((each.name,), each.limit) for each in seen.stores],
    )
    refused = "Boards that are left out, as what they say of themselves can't be."
    yield gauge(f"{CLUSTER}_boards_refused", refused, sum(seen.refused.values()))
    strays = "Messages at the hub that are of no npu-farm."
    yield gauge(f"{CLUSTER}_stray_messages", strays, seen.strays)


def board_families(boards: tuple[Seen, ...]) -> Iterator[Metric]:
    """Yield the metrics of each board."""
    images = CounterMetricFamily(
        f"{PREFIX}_{CLUSTER}_board_images",
        "Images that ended on each board since its farm is up: ok or failed.",
        labels=(*BOARD, "outcome", SIMULATED),
    )
    rate = GaugeMetricFamily(
        f"{PREFIX}_{CLUSTER}_board_images_per_second",
        "Images per second of each board over the last 10 s.",
        labels=(*BOARD, "model", SIMULATED),
    )
    held = GaugeMetricFamily(
        f"{PREFIX}_{CLUSTER}_board_images_held", "Images that each board holds.", labels=BOARD
    )
    load = GaugeMetricFamily(
        f"{PREFIX}_{CLUSTER}_board_npu_load_ratio",
        "Share of time in which each NPU core works; missing where it can't be read.",
        labels=(*BOARD, "npu_core", SIMULATED),
    )
    hottest = GaugeMetricFamily(
        f"{PREFIX}_{CLUSTER}_board_temperature_celsius",
        "The highest temperature of each board; missing where none can be read.",
        labels=BOARD,
    )
    for each in boards:
        board, name = each.board, which(each)
        make_believe = truth(board.offer.simulated)
        images.add_metric((*name, "ok", make_believe), board.ok)
        images.add_metric((*name, "failed", make_believe), board.failed)
        rate.add_metric((*name, board.offer.name, make_believe), board.rate)
        held.add_metric(name, board.held)
        for core, share in enumerate(board.npu_load or ()):
            load.add_metric((*name, f"{core}", make_believe), share)
        if board.hottest is not None:
            hottest.add_metric(name, board.hottest)
    yield from (images, rate, held, load, hottest)


def which(seen: Seen) -> tuple[str, str]:
    """Return a board's labels: its name, and its id, as names may be alike."""
    return seen.board.board, seen.board.id
