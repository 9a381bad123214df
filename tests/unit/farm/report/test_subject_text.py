"""What was measured, as names and facts."""

from __future__ import annotations

from farm.report.subject_text import all_facts, facts, file_facts
from tests.helpers.figures import report, subject


def test_the_model_has_its_name_size_and_digest() -> None:
    found = facts(subject())
    model = "small.onnx, 95 kB, SHA-256 0123456789ab"
    assert found == {"model": model, "images": "photos/", "config": "rk3588"}
    assert facts(subject(model=""))["model"] == "none"


def test_a_task_is_named_if_it_is_another_than_the_usual() -> None:
    assert facts(subject(task="detect, outputs read as yolov5"))["task"] == (
        "detect, outputs read as yolov5"
    )
    assert "task" not in facts(subject())


def test_a_model_with_weights_in_a_second_file_has_the_digests_of_both() -> None:
    assert file_facts(812, f"{'a' * 64}+{'b' * 64}") == f"812 B, SHA-256 {'a' * 12}+{'b' * 12}"


def test_of_many_images_the_first_are_named() -> None:
    names = tuple(f"{number}.jpg" for number in range(1000))
    assert facts(subject(images=names))["images"] == "0.jpg 1.jpg 2.jpg and 997 more"
    assert facts(subject(images=names[:3]))["images"] == "0.jpg 1.jpg 2.jpg"


def test_all_of_it_has_command_config_machine_and_versions() -> None:
    whole = report(machine={"CPU": "a made-up one", "Python": "CPython 3.11.2", "numpy": "2.1.3"})
    found = all_facts(whole.subject, whole.machine)
    assert found["command"] == subject().command
    assert found["settings"] == "decoders: auto, batch: 8"
    assert (found["CPU"], found["versions"]) == (
        "a made-up one",
        "Python CPython 3.11.2, numpy 2.1.3",
    )
