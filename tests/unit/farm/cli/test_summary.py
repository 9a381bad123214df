"""What a terminal is shown of results, runs and plans."""

from __future__ import annotations

import os
from typing import Any

from farm.cli.summary import plan_table, summary
from farm.config.schema import FarmConfig
from farm.hardware.platforms import Machine
from farm.results.result import Prediction, Result, Timings
from farm.results.stats import PHASES, RunSummary
from farm.results.text_line import line
from farm.scheduler.placement import FarmPlan, plan
from workers.protocol.messages import ItemError

TOP5 = (Prediction(3, "tench, Tinca tinca", 0.5), Prediction(0, "hen", 0.25))


def result(**changes: Any) -> Result:
    return Result(
        **{
            "id": 7,
            "path": "/a.jpg",
            "top5": TOP5,
            "error": None,
            "worker": 2,
            "attempts": 1,
            "ms": Timings(**dict.fromkeys(PHASES, 1.0)),
            "simulated": False,
            **changes,
        }
    )


def failed(kind: str, message: str, **changes: Any) -> Result:
    return result(top5=None, error=ItemError(kind, message), **changes)


def snapshot(**changes: Any) -> RunSummary:
    return RunSummary(
        **{
            "ok": 4000,
            "failed": 0,
            "failures": {},
            "per_worker": {0: 1334, 1: 1333, 2: 1333},
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
            **changes,
        }
    )


def planned(platform: str = "rk3588", soc: str | None = "rk3588", **config: Any) -> FarmPlan:
    machine = Machine(soc=soc, cpus=tuple(range(8)), capacities={})
    said = {"platform": platform, "model": "/m/a.onnx", **config}
    return plan(FarmConfig.model_validate(said), machine, "/run")


def summarized(runtime: str = "auto", **changes: Any) -> list[str]:
    return summary(snapshot(**changes), planned(runtime=runtime))


def test_a_line_is_the_path_and_the_best_classes() -> None:
    assert line(result()) == "/a.jpg: tench 50.0%, hen 25.0%"


def test_a_line_without_labels_has_class_numbers() -> None:
    assert line(result(top5=(Prediction(3, None, 0.5),))) == "/a.jpg: class 3 50.0%"


def test_a_line_of_an_item_that_was_no_file_has_its_number() -> None:
    assert line(result(path=None)).startswith("item 7: tench ")


def test_a_line_of_an_error_has_its_kind_and_reason() -> None:
    assert line(failed("missing", "no such file")) == "/a.jpg: error: missing: no such file"


def test_a_line_escapes_paths_labels_and_reasons() -> None:
    path, evil = os.fsdecode(b"/\x1b[2J\xff\n.jpg"), "\x1b[31m"
    for each in (
        result(path=path, top5=(Prediction(0, evil, 1.0),)),
        failed("not_an_image", evil + "\n", path=path),
    ):
        assert line(each).isprintable()
        assert line(each).startswith(r"/\x1b[2J\udcff\n.jpg: ")
        assert r"\x1b[31m" in line(each)


def test_a_simulated_line_says_so() -> None:
    unnamed = (Prediction(3, None, 0.5), Prediction(0, None, 0.25))
    said = line(result(top5=unnamed, simulated=True))
    assert said == "/a.jpg: simulated: class 3 50.0%, class 0 25.0%"


def test_a_simulated_line_never_names_a_label() -> None:
    assert line(result(simulated=True)) == "/a.jpg: simulated: class 3 50.0%, class 0 25.0%"


def test_a_simulated_error_is_a_real_error() -> None:
    assert line(failed("empty", "the file is empty", simulated=True)) == (
        "/a.jpg: error: empty: the file is empty"
    )


def test_the_first_line_of_a_summary_reads_as_published() -> None:
    assert summarized()[0] == (
        "Processed 4000 images in 9.6s, average inference per image is 2.40ms"
    )


def test_a_plain_summary_has_rate_latency_and_workers() -> None:
    assert summarized()[1:] == [
        "Rate         416.7 images per second",
        "Latency      p50 1.0 ms, p90 2.0 ms, p99 3.0 ms",
        "  inference  p50 1.0 ms, p90 2.0 ms, p99 3.0 ms",
        "Per worker   0: 1334, 1: 1333, 2: 1333",
    ]


def test_failures_are_summed_up_by_kind() -> None:
    failures = {"truncated": 1, "missing": 2}
    lines = summarized(ok=7, failed=3, failures=failures, seconds=1.0)
    assert lines[0].startswith("Processed 7 images in 1.0s, ")
    assert lines[1] == "Failed       3 of 10: 2 missing, 1 truncated"


def test_a_run_without_any_result_is_two_lines_at_most() -> None:
    lines = summarized(ok=0, failed=2, failures={"missing": 2}, per_worker={}, seconds=0.0)
    assert lines == [
        "Processed 0 images in 0.0s, average inference per image is 0.00ms",
        "Failed       2 of 2: 2 missing",
    ]


def test_images_that_were_skipped_are_told() -> None:
    assert "Skipped      120: done by earlier runs" in summarized(skipped=120)


def test_losses_are_told_where_there_were_some() -> None:
    assert "Workers lost 2; what they held went to others" in summarized(losses=2)


def test_messages_that_were_dropped_are_counted_at_the_end() -> None:
    said = "Dropped      4 messages: late, double, or none of ours"
    assert said in summarized(dropped=4)
    assert not any("Dropped" in line for line in summarized())


def test_npu_cores_that_were_left_out_are_named_once_more_at_the_end() -> None:
    said = "NPU cores    1, 2 LEFT OUT: no worker could use it; see above"
    assert said in summarized(left_out=(1, 2))
    assert not any("LEFT OUT" in line for line in summarized())
    assert not any("lost" in each for each in summarized())


def test_accuracy_is_told_where_the_truth_is_known() -> None:
    lines = summarized(judged=200, top1_right=150, top5_right=190)
    assert lines[-1] == "Accuracy     top-1 75.0%, top-5 95.0% of 200 images"
    assert not any("Accuracy" in each for each in summarized())


def test_a_simulated_summary_says_so_in_its_second_line() -> None:
    lines = summarized("simulated")
    assert lines[1] == "Runtime      simulated NPU: real images, make-believe answers and times"
    assert not any("make-believe" in each for each in summarized())


def test_a_plan_is_a_row_for_each_worker() -> None:
    assert plan_table(planned()) == [
        "platform rk3588, runtime rknn, 3 workers",
        "model    /m/a-rk3588.rknn",
        "worker  NPU core  core mask  CPUs",
        "0              0      0b001   4-7",
        "1              1      0b010   4-7",
        "2              2      0b100   4-7",
    ]


def test_a_plan_without_masks_or_npu_says_so() -> None:
    assert plan_table(planned("rk3566", "rk3566"))[3].split() == ["0", "0", "none", "0-3"]
    on_cpu = plan_table(planned("rk3588", None, size=1))
    assert on_cpu[3].split() == ["0", "-", "-", "4-7"]
    assert on_cpu[-1] == "note: no rk3588 NPU here: ONNX Runtime runs on the CPU instead"


def test_a_simulated_plan_has_no_model() -> None:
    table = plan_table(planned(runtime="simulated"))
    assert table[0] == "platform rk3588, runtime simulated, 3 workers"
    assert table[1].startswith("model    (none: simulated NPU")
