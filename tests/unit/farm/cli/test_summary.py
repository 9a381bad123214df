"""What a terminal shows of runs and plans."""

from __future__ import annotations

from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from farm.cli.summary import plan_table, summary
from farm.config.schema import FarmConfig
from farm.hardware.platforms import Machine
from farm.results.stats import PHASES, RunSummary
from farm.scheduler.placement import FarmPlan, plan
from tests.helpers.figures import subject


def done(**changes: Any) -> RunSummary:
    return RunSummary(
        **{
            "ok": 4000,
            "failed": 0,
            "failures": {},
            "per_worker": {0: 1334, 1: 1333, 2: 1333},
            "per_board": {},
            "losses": 0,
            "dropped": 0,
            "skipped": 0,
            "left_out": (),
            "seconds": 9.6,
            "percentiles": dict.fromkeys(PHASES, (1.0, 2.0, 3.0)),
            "busy_ms": {},
            "judged": 0,
            "top1_right": 0,
            "top5_right": 0,
            "objects": {},
            "searched": 0,
            "with_objects": 0,
            **changes,
        }
    )


def planned(platform: str = "rk3588", soc: str | None = "rk3588", **config: Any) -> FarmPlan:
    machine = Machine(soc=soc, cpus=tuple(range(8)), capacities={})
    said = {"platform": platform, "model": "/m/a.onnx", **config}
    return plan(FarmConfig.model_validate(said), machine, "/run")


def summarized(runtime: str = "auto", **changes: Any) -> list[str]:
    return summary(done(**changes), subject(), simulated=planned(runtime=runtime).simulated)


def new_in(**changes: Any) -> list[str]:
    """Return the lines of a summary that a run without these changes does not have."""
    return [line for line in summarized(**changes) if line not in summarized()]


def test_the_first_line_of_a_summary_reads_as_published() -> None:
    assert summarized()[0] == (
        "Processed 4000 images in 9.6s, average inference per image is 2.40ms"
    )


def test_a_summary_of_everything(snapshot: SnapshotAssertion) -> None:
    everything = {
        "failed": 3,
        "failures": {"truncated": 1, "missing": 2},
        "skipped": 120,
        "losses": 2,
        "dropped": 4,
        "left_out": (1, 2),
        "judged": 200,
        "top1_right": 150,
        "top5_right": 190,
    }
    assert "\n".join(summarized("simulated", **everything)) == snapshot


@pytest.mark.parametrize(
    ("changes", "facts"),
    [
        ({"failed": 3, "failures": {"truncated": 1, "missing": 2}}, {"2 missing", "1 truncated"}),
        ({"skipped": 120}, {"120"}),
        ({"losses": 2}, {"2"}),
        ({"dropped": 4}, {"4"}),
        ({"left_out": (1, 2)}, {"1, 2", "LEFT OUT"}),
        ({"judged": 200, "top1_right": 150, "top5_right": 190}, {"75.0 %", "95.0 %", "200"}),
    ],
    ids=lambda each: next(iter(each)) if isinstance(each, dict) else "",
)
def test_what_went_wrong_and_how_accurate_it_was_has_a_line_where_there_is_something(
    changes: dict[str, Any], facts: set[str]
) -> None:
    (line,) = new_in(**changes)
    assert {fact for fact in facts if fact in line} == facts


@pytest.mark.parametrize(
    ("objects", "line"),
    [
        ({"person": 803, "car": 211}, "1014 in 180 of 200 images: 803 person, 211 car"),
        (dict.fromkeys("abcdef", 1), "6 in 180 of 200 images: 1 a, 1 b, 1 c, 1 d, 1 e"),
        ({"car": 2, "x" * 40: 1}, "3 in 180 of 200 images: 2 car"),
        ({"x" * 90: 1}, f"1 in 180 of 200 images: 1 {'x' * 90}"),
    ],
)
def test_a_detectors_summary_has_a_line_of_its_most_frequent_objects(
    objects: dict[str, int], line: str
) -> None:
    new = new_in(objects=objects, searched=200, with_objects=180)
    assert new == [f"Objects      {line}"]


def test_a_detector_that_found_nothing_says_so() -> None:
    assert new_in(searched=200) == ["Objects      0 in 0 of 200 images"]


def test_a_run_that_classified_nothing_has_no_average() -> None:
    lines = summarized(ok=0, failed=2, failures={"missing": 2}, per_worker={}, seconds=0.0)
    assert lines == ["Processed 0 images in 0.0s", "Failed       2 of 2: 2 missing"]


def test_a_simulated_summary_says_so_in_its_second_line() -> None:
    assert "simulated" in summarized("simulated")[1]
    assert not any("simulated" in line for line in summarized())


def test_a_summary_says_which_model_and_images_and_config_it_is_of() -> None:
    said = dict(line.split(maxsplit=1) for line in summarized())
    assert said["Model"] == "small.onnx, 95 kB, SHA-256 0123456789ab"
    assert (said["Images"], said["Config"]) == ("photos/", "rk3588")


def test_average_and_inference_stand_in_one_line_and_all_fits_into_80_columns() -> None:
    (line,) = [line for line in summarized() if line.startswith("Per image")]
    assert "2.40 ms" in line
    assert "p50 1.0 ms" in line
    assert max(map(len, summarized())) <= 80


def test_a_plan_is_a_row_for_each_worker(snapshot: SnapshotAssertion) -> None:
    assert "\n".join(plan_table(planned())) == snapshot


def test_a_plan_without_masks_or_npu_says_so() -> None:
    assert plan_table(planned("rk3566", "rk3566"))[3].split() == ["0", "0", "none", "0-3"]
    on_cpu = plan_table(planned("rk3588", None, size=1))
    assert on_cpu[3].split() == ["0", "-", "-", "4-7"]
    assert on_cpu[-1].startswith("note: ")
    assert "ONNX Runtime" in on_cpu[-1]
    narrow = plan_table(planned("rk3588", None, size=1), 60)
    assert max(map(len, narrow)) <= 60
    assert len(narrow) > len(on_cpu)


def test_a_simulated_plan_has_no_model() -> None:
    table = plan_table(planned(runtime="simulated"))
    assert "runtime simulated, 3 workers" in table[0]
    assert "none: simulated" in table[1]
