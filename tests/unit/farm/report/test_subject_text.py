"""What was measured, as names and facts."""

from __future__ import annotations

from farm.report.subject_text import all_facts, facts
from tests.helpers.figures import report, subject


def test_the_model_has_its_name_size_and_digest() -> None:
    found = facts(subject())
    assert found == {"model": "small.onnx, 95 kB, SHA-256 0123456789ab", "images": "photos/"}
    assert facts(subject(model=""))["model"] == "none"


def test_all_of_it_has_command_config_machine_and_versions() -> None:
    whole = report(machine={"CPU": "a made-up one", "Python": "CPython 3.11.2", "numpy": "2.1.3"})
    found = all_facts(whole)
    assert found["command"] == subject().command
    assert found["config"] == "decoders: auto, batch: 8"
    assert (found["CPU"], found["versions"]) == (
        "a made-up one",
        "Python CPython 3.11.2, numpy 2.1.3",
    )
