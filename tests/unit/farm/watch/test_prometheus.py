from __future__ import annotations

from prometheus_client.core import GaugeMetricFamily

from farm.watch.prometheus import counter, gauge, labelled, truth


def test_names_say_whose_they_are() -> None:
    assert gauge("workers", "About.", 3).samples[0].name == "npu_farm_workers"
    assert counter("losses", "About.", 3).samples[0].name == "npu_farm_losses_total"


def test_each_value_has_its_labels() -> None:
    family = GaugeMetricFamily("load", "About.", labels=("core", "simulated"))
    samples = labelled(family, [(("0", truth(True)), 0.5), (("1", truth(False)), 0.25)]).samples
    assert [(sample.labels, sample.value) for sample in samples] == [
        ({"core": "0", "simulated": "true"}, 0.5),
        ({"core": "1", "simulated": "false"}, 0.25),
    ]
